/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/inspect_facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/strbuf.h"

/* mountinfo of a container with very many volumes is still below this; what is beyond is not looked at. */
enum { MOUNTINFO_MAX = 16 * 1024 * 1024, INTERFACES_MAX = 256 };

static char *read_file(pid_t pid, const char *file, size_t *ret_length)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", (int)pid, file);

	return file_read(path, MOUNTINFO_MAX, ret_length);
}

/* ---- root file system ---- */

/* mountinfo writes blank, tab, newline and backslash as \ooo. In place. */
static void unescape(char *s)
{
	char *to = s;

	for (const char *p = s; *p; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
			p[3] <= '7') {
			*to++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* lowerdir is separated by ':'; overlayfs takes "\:" for a colon in a name. */
static void split_lower(struct root_facts *f, const char *text)
{
	struct strbuf layer = { 0 };

	for (const char *p = text;; p++) {
		if (*p == '\\' && p[1]) {
			strbuf_putc(&layer, *++p);
		} else if (*p == ':' || !*p) {
			if (layer.length) {
				array_grow(f->lower, f->lower_count, f->lower_capacity);
				f->lower[f->lower_count++] = strbuf_steal(&layer);
			}
			if (!*p)
				break;
		} else {
			strbuf_putc(&layer, *p);
		}
	}
	strbuf_free(&layer);
}

/* One option at a time; a comma in a value is written "\," by the kernel. */
static void parse_overlay(struct root_facts *f, char *options)
{
	while (*options) {
		char *end = options;

		while (*end && !(*end == ',' && (end == options || end[-1] != '\\')))
			end++;
		if (*end)
			*end++ = '\0';
		if (str_starts(options, "lowerdir="))
			split_lower(f, options + strlen("lowerdir="));
		else if (str_starts(options, "lowerdir+="))
			split_lower(f, options + strlen("lowerdir+="));
		else if (str_starts(options, "upperdir=") && !f->upper)
			f->upper = xstrdup(options + strlen("upperdir="));
		else if (str_starts(options, "workdir=") && !f->work)
			f->work = xstrdup(options + strlen("workdir="));
		options = end;
	}
}

/* "36 35 98:0 /root /mount/point options optional... - fstype source super-options" */
static bool parse_root_line(char *line, struct root_facts *f)
{
	char *fields[6], *rest = line, *separator = strstr(line, " - ");
	char *fstype, *source, *options;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i] || !rest)
			return false;
	}
	if (!separator || strcmp(fields[4], "/") != 0)
		return false;
	rest = separator + strlen(" - ");
	fstype = strsep(&rest, " ");
	source = strsep(&rest, " ");
	options = rest ? rest : (char[]){ "" };
	if (!source)
		return false;
	unescape(source);
	unescape(options);
	root_free(f); /* mounted over: the last one is seen */
	f->fstype = xstrdup(fstype);
	f->source = xstrdup(source);
	f->read_only = str_starts(fields[5], "ro");
	if (!strcmp(fstype, "overlay"))
		parse_overlay(f, options);
	return true;
}

int root_parse(const char *mountinfo, struct root_facts *ret)
{
	_cleanup_free_ char *copy = xstrdup(mountinfo);
	char *rest = copy, *line;
	struct root_facts f = { 0 };
	size_t mounts = 0;

	while ((line = strsep(&rest, "\n"))) {
		mounts += *line != '\0';
		parse_root_line(line, &f);
	}
	if (!f.fstype)
		return -ENOENT;
	f.mounts = mounts;
	*ret = f;
	return 0;
}

int root_read(pid_t pid, struct root_facts *ret, struct error *err)
{
	_cleanup_free_ char *text = read_file(pid, "mountinfo", NULL);

	if (!text)
		return error_errno(err, errno, "cannot read /proc/%d/mountinfo", (int)pid);
	if (root_parse(text, ret) < 0)
		return error_set(err, ENOENT, "process %d has nothing mounted at /", (int)pid);
	return 0;
}

void root_free(struct root_facts *f)
{
	for (size_t i = 0; i < f->lower_count; i++)
		free(f->lower[i]);
	free(f->lower);
	free(f->fstype);
	free(f->source);
	free(f->upper);
	free(f->work);
	*f = (struct root_facts){ 0 };
}

/* ---- network ---- */

static int prefix_length(const struct sockaddr *mask)
{
	const unsigned char *bytes = NULL;
	size_t size = 0;
	int bits = 0;

	if (mask && mask->sa_family == AF_INET) {
		bytes = (const void *)&((const struct sockaddr_in *)mask)->sin_addr;
		size = 4;
	} else if (mask && mask->sa_family == AF_INET6) {
		bytes = (const void *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
		size = 16;
	}
	for (size_t i = 0; i < size; i++)
		bits += __builtin_popcount(bytes[i]);
	return bits;
}

static void add_address(struct interface_fact *f, const struct ifaddrs *a)
{
	const void *address = a->ifa_addr->sa_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)a->ifa_addr)->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)a->ifa_addr)->sin6_addr;
	char text[INET6_ADDRSTRLEN];
	size_t used = strlen(f->addresses);

	if (inet_ntop(a->ifa_addr->sa_family, address, text, sizeof(text)))
		snprintf(f->addresses + used, sizeof(f->addresses) - used, "%s%s/%d", used ? ", " : "", text,
			prefix_length(a->ifa_netmask));
}

/* In the child, inside the namespace: sends one struct interface_fact per interface. */
static int send_interfaces(int fd)
{
	struct interface_fact *all = xcalloc(INTERFACES_MAX, sizeof(*all));
	struct ifaddrs *addresses;
	size_t count = 0;

	if (getifaddrs(&addresses) < 0)
		return errno;
	for (const struct ifaddrs *a = addresses; a; a = a->ifa_next) {
		size_t i = 0;

		while (i < count && strcmp(all[i].name, a->ifa_name) != 0)
			i++;
		if (i == INTERFACES_MAX)
			continue;
		if (i == count) {
			snprintf(all[count].name, sizeof(all[count].name), "%s", a->ifa_name);
			all[count++].flags = a->ifa_flags;
		}
		if (a->ifa_addr && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
			add_address(&all[i], a);
	}
	for (size_t i = 0; i < count; i++) {
		if (write(fd, &all[i], sizeof(all[i])) != (ssize_t)sizeof(all[i]))
			return EIO;
	}
	return 0;
}

static int look_inside(pid_t pid, int out)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/net", (int)pid);
	_cleanup_close_ int ns = open(path, O_RDONLY | O_CLOEXEC);

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		return errno;
	return send_interfaces(out);
}

/* "Iface Destination Gateway Flags ...", addresses as hex in host order. */
static void read_gateway(pid_t pid, struct network_facts *facts)
{
	_cleanup_free_ char *text = read_file(pid, "net/route", NULL);
	char *rest = text, *line;

	while (text && (line = strsep(&rest, "\n"))) {
		struct in_addr gateway;
		unsigned int destination, via, flags;

		if (sscanf(line, "%*s %x %x %x", &destination, &via, &flags) != 3 || destination ||
			!(flags & RTF_GATEWAY))
			continue;
		gateway.s_addr = via;
		inet_ntop(AF_INET, &gateway, facts->gateway, sizeof(facts->gateway));
		return;
	}
}

int network_read(pid_t pid, struct network_facts *ret, struct error *err)
{
	struct network_facts f = { 0 };
	struct interface_fact one;
	int fds[2], status = 0;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	child = fork();
	if (child == 0)
		_exit(look_inside(pid, fds[1]));
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return error_errno(err, errno, "cannot fork");
	}
	/* Records are smaller than PIPE_BUF, so each arrives whole. */
	while (read(fds[0], &one, sizeof(one)) == (ssize_t)sizeof(one)) {
		array_grow(f.interfaces, f.count, f.capacity);
		f.interfaces[f.count++] = one;
	}
	close(fds[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		network_free(&f);
		return error_errno(err, WIFEXITED(status) ? WEXITSTATUS(status) : EIO,
			"cannot look into the network namespace of process %d", (int)pid);
	}
	read_gateway(pid, &f);
	*ret = f;
	return 0;
}

void network_free(struct network_facts *f)
{
	free(f->interfaces);
	*f = (struct network_facts){ 0 };
}

/* ---- the process ---- */

static const char *status_field(const char *status, const char *key)
{
	_cleanup_free_ char *wanted = xasprintf("\n%s:", key);
	const char *at = strstr(status, wanted);

	return at ? at + strlen(wanted) : NULL;
}

static uint64_t status_number(const char *status, const char *key, int base, uint64_t otherwise)
{
	const char *text = status_field(status, key);

	return text ? strtoull(text, NULL, base) : otherwise;
}

static double running_seconds(uint64_t start_ticks)
{
	return (double)clock_ns(CLOCK_BOOTTIME) / 1e9 - (double)start_ticks / (double)sysconf(_SC_CLK_TCK);
}

int process_read(pid_t pid, uint64_t start_ticks, struct process_facts *ret, struct error *err)
{
	_cleanup_free_ char *status = read_file(pid, "status", NULL);
	size_t length = 0;
	char *command = read_file(pid, "cmdline", &length);
	_cleanup_free_ char *link = xasprintf("/proc/%d/exe", (int)pid);
	char exe[4096];
	ssize_t n;

	if (!status || !command) {
		free(command);
		return error_errno(err, ESRCH, "process %d has gone", (int)pid);
	}
	for (size_t i = 0; i + 1 < length; i++) {
		if (!command[i])
			command[i] = ' ';
	}
	n = readlink(link, exe, sizeof(exe) - 1);
	*ret = (struct process_facts){ .command = command, .exe = n > 0 ? xstrndup(exe, (size_t)n) : NULL,
		.cap_effective = status_number(status, "CapEff", 16, 0),
		.cap_bounding = status_number(status, "CapBnd", 16, 0),
		.seccomp = (int)status_number(status, "Seccomp", 10, (uint64_t)-1),
		.no_new_privs = (int)status_number(status, "NoNewPrivs", 10, (uint64_t)-1),
		.uid = (uint32_t)status_number(status, "Uid", 10, 0),
		.gid = (uint32_t)status_number(status, "Gid", 10, 0),
		.running_seconds = running_seconds(start_ticks) };
	return 0;
}

void process_facts_free(struct process_facts *f)
{
	free(f->command);
	free(f->exe);
	*f = (struct process_facts){ 0 };
}
