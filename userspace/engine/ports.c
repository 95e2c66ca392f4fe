/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/nat_ports.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/strbuf.h"

enum { PORT_MAX = 65535, PORTS_PER_CONTAINER = 4096 };

/* ---- what people write ---- */

struct range {
	unsigned first, last;
};

static bool parse_range(const char *text, struct range *ret)
{
	char *end;

	if (!*text || strspn(text, "0123456789-") != strlen(text) || *text == '-')
		return false;
	ret->first = ret->last = (unsigned)strtoul(text, &end, 10);
	if (*end == '-')
		ret->last = (unsigned)strtoul(end + 1, &end, 10);
	return !*end && ret->first <= ret->last && ret->last <= PORT_MAX;
}

static int take_protocol(char *text, const char **ret, struct error *err)
{
	char *slash = strchr(text, '/');

	*ret = "tcp";
	if (!slash)
		return 0;
	*slash = '\0';
	*ret = slash + 1;
	if (!strcmp(*ret, "sctp"))
		return error_set(err, EOPNOTSUPP, "ctrace publishes tcp and udp ports, not sctp");
	if (strcmp(*ret, "tcp") != 0 && strcmp(*ret, "udp") != 0)
		return error_set(err, EINVAL, "Invalid proto: %s", *ret);
	return 0;
}

static int take_address(char *address, const char **ret, struct error *err)
{
	struct in_addr in;

	if (*address == '[' || strchr(address, ':'))
		return error_set(err, EOPNOTSUPP, "ctrace publishes ports on IPv4 addresses only, not %s",
			address);
	if (*address && inet_pton(AF_INET, address, &in) != 1)
		return error_set(err, EINVAL, "Invalid ip address: %s", address);
	*ret = *address ? address : "0.0.0.0";
	return 0;
}

int ports_parse(const char *text, struct string_list *list, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	const char *protocol, *address = "0.0.0.0";
	struct range host = { 0, 0 }, container;
	char *port, *middle = NULL;
	int r = take_protocol(copy, &protocol, err);

	if (r < 0)
		return r;
	port = strrchr(copy, ':');
	if (port) {
		*port++ = '\0';
		middle = strrchr(copy, ':');
		if (middle)
			*middle++ = '\0';
		r = middle ? take_address(copy, &address, err) : 0;
		if (r < 0)
			return r;
	}
	if (!parse_range(port ? port : copy, &container) || container.first == 0)
		return error_set(err, EINVAL, "Invalid containerPort: %s", port ? port : copy);
	if (port && *(middle ? middle : copy) && !parse_range(middle ? middle : copy, &host))
		return error_set(err, EINVAL, "Invalid hostPort: %s", middle ? middle : copy);
	/* one container port may go to the first that is free of a range: not here */
	if (host.first && host.last - host.first != container.last - container.first)
		return error_set(err, EINVAL, "Invalid ranges specified for container and host Ports: %s", text);
	for (unsigned i = 0; i <= container.last - container.first; i++)
		string_list_add(list, xasprintf("%s:%u:%u/%s", address, host.first ? host.first + i : 0,
			container.first + i, protocol));
	return 0;
}

int ports_parse_exposed(const char *text, struct string_list *list, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	const char *protocol;
	struct range range;
	int r = take_protocol(copy, &protocol, err);

	if (r < 0)
		return r;
	if (!parse_range(copy, &range) || range.first == 0)
		return error_set(err, EINVAL, "invalid range format for --expose: %s", text);
	for (unsigned i = range.first; i <= range.last; i++) {
		char *one = xasprintf("%u/%s", i, protocol);

		if (string_list_has(list, one))
			free(one);
		else
			string_list_add(list, one);
	}
	return 0;
}

bool port_text_split(const char *text, struct port_text *ret)
{
	return sscanf(text, "%15[0-9.]:%u:%u/%3s", ret->address, &ret->host, &ret->container,
		       ret->protocol) == 4;
}

static bool to_port(const char *text, const char *address, struct nat_port *ret)
{
	struct port_text t;
	struct in_addr host, target;

	if (!port_text_split(text, &t) || inet_pton(AF_INET, t.address, &host) != 1 ||
		inet_pton(AF_INET, address, &target) != 1)
		return false;
	*ret = (struct nat_port){ .host_address = ntohl(host.s_addr), .address = ntohl(target.s_addr),
		.host_port = (uint16_t)t.host, .port = (uint16_t)t.container,
		.protocol = !strcmp(t.protocol, "udp") ? IPPROTO_UDP : IPPROTO_TCP };
	return true;
}

/* ---- the host's ports ---- */

void port_sockets_close(struct port_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->fds[i]);
	free(sockets->fds);
	*sockets = (struct port_sockets){ 0 };
}

static int explain_taken(const struct nat_port *p, const char *name, int code, struct error *err)
{
	struct in_addr in = { htonl(p->host_address) };
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &in, text, sizeof(text));
	if (code == EADDRINUSE)
		return error_set(err, code, "driver failed programming external connectivity on endpoint "
			"%s: Bind for %s:%u failed: port is already allocated", name, text, p->host_port);
	return error_errno(err, code, "driver failed programming external connectivity on endpoint %s: "
		"Bind for %s:%u failed", name, text, p->host_port);
}

/* A socket of our own on the port: nobody else gets it, and who has it already is noticed. Nothing ever
 * arrives there, the translation comes first. */
static int reserve(struct nat_port *p, const char *name, struct port_sockets *sockets,
	struct error *err)
{
	bool tcp = p->protocol == IPPROTO_TCP;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(p->host_port),
		.sin_addr = { htonl(p->host_address) } };
	socklen_t length = sizeof(a);
	int one = 1, fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	if (tcp) /* connections that linger do not matter; listening makes it exclusive again */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (tcp && listen(fd, 1) < 0) ||
		getsockname(fd, (struct sockaddr *)&a, &length) < 0) {
		int code = errno;

		close(fd);
		return explain_taken(p, name, code, err);
	}
	p->host_port = ntohs(a.sin_port);
	array_grow(sockets->fds, sockets->count, sockets->capacity);
	sockets->fds[sockets->count++] = fd;
	return 0;
}

/* ---- the file ---- */

static int open_file(struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ports", registry_directory());

	return file_open_locked(path, err);
}

static int append(int fd, const char *id, const struct nat_port *ports, size_t count)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	for (size_t i = 0; i < count; i++)
		strbuf_printf(&sb, "%s %u %u %u %u %u\n", id, ports[i].protocol, ports[i].host_address,
			ports[i].host_port, ports[i].address, ports[i].port);
	if (lseek(fd, 0, SEEK_END) < 0)
		return -errno;
	errno = ENOSPC;
	return write(fd, sb.text, sb.length) == (ssize_t)sb.length ? 0 : -errno;
}

/* Splits the file into this container's ports and the text of all the others. */
static size_t read_file(int fd, const char *id, struct nat_port *ret, size_t max, struct strbuf *others)
{
	_cleanup_fclose_ FILE *f = fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 3), "r");
	char line[256], owner[STATE_ID_LENGTH + 1];
	size_t count = 0;

	rewind(f);
	while (f && fgets(line, sizeof(line), f)) {
		unsigned n[5];

		if (sscanf(line, "%64s %u %u %u %u %u", owner, &n[0], &n[1], &n[2], &n[3], &n[4]) != 6)
			continue;
		if (strcmp(owner, id) != 0)
			strbuf_puts(others, line);
		else if (count < max)
			ret[count++] = (struct nat_port){ .protocol = (uint8_t)n[0], .host_address = n[1],
				.host_port = (uint16_t)n[2], .address = n[3], .port = (uint16_t)n[4] };
	}
	return count;
}

int ports_release(const char *id, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/ports", registry_directory());
	_cleanup_(strbuf_free) struct strbuf others = { 0 };
	_cleanup_free_ struct nat_port *ports = NULL;
	_cleanup_close_ int fd = -1;
	size_t count;
	int r;

	if (access(path, F_OK) < 0)
		return 0;
	fd = open_file(err);
	if (fd < 0)
		return fd;
	ports = xcalloc(PORTS_PER_CONTAINER, sizeof(*ports));
	count = read_file(fd, id, ports, PORTS_PER_CONTAINER, &others);
	if (!count)
		return 0;
	r = nat_ports_remove(ports, count, err);
	if (r < 0)
		return r;
	/* shorter, so it always fits; a torn write costs lines of which the kernel has the rest */
	if (pwrite(fd, others.text ? others.text : "", others.length, 0) != (ssize_t)others.length ||
		ftruncate(fd, (off_t)others.length) < 0)
		return error_errno(err, errno, "cannot write %s", path);
	return 0;
}

static void describe(const struct nat_port *p, struct string_list *ret)
{
	struct in_addr in = { htonl(p->host_address) };
	char text[INET_ADDRSTRLEN];

	string_list_add(ret, xasprintf("%s:%u:%u/%s", inet_ntop(AF_INET, &in, text, sizeof(text)),
		p->host_port, p->port, p->protocol == IPPROTO_UDP ? "udp" : "tcp"));
}

int ports_publish(const struct network_bridge *bridge, const char *id, const char *name, const char *address,
	const struct string_list *list, struct port_sockets *sockets, struct string_list *ret_published,
	struct error *err)
{
	_cleanup_free_ struct nat_port *ports = xcalloc(list->count + 1, sizeof(*ports));
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!list->count)
		return 0;
	if (list->count > PORTS_PER_CONTAINER)
		return error_set(err, E2BIG, "a container can publish at most %d ports", PORTS_PER_CONTAINER);
	for (size_t i = 0; r == 0 && i < list->count; i++) {
		if (!to_port(list->items[i], address, &ports[i]))
			r = error_set(err, EINVAL, "invalid port %s", list->items[i]);
		else
			r = reserve(&ports[i], name, sockets, err);
	}
	fd = r == 0 ? open_file(err) : -1;
	if (r == 0 && fd < 0)
		r = fd;
	if (r == 0) {
		r = append(fd, id, ports, list->count);
		if (r < 0)
			error_errno(err, -r, "cannot write %s/ports", registry_directory());
	}
	if (r == 0)
		r = nat_ports_add(bridge, ports, list->count, err);
	for (size_t i = 0; r == 0 && i < list->count; i++)
		describe(&ports[i], ret_published);
	return r;
}
