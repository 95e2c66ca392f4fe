/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/etc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { FILE_LIMIT = 1 << 20 };

static int write_file(const char *directory, const char *name, const char *text, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t length = strlen(text);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return error_errno(err, errno, "cannot write %s", path);
	return 0;
}

/* A file of the host; "" when there is none. */
static char *read_host(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = xmalloc(FILE_LIMIT + 1);
	ssize_t n = fd < 0 ? 0 : read(fd, text, FILE_LIMIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool is_nameserver(const char *line, const char **ret_address)
{
	while (*line == ' ' || *line == '\t')
		line++;
	if (!str_starts(line, "nameserver") || !strchr(" \t", line[10]))
		return false;
	*ret_address = line + 10 + strspn(line + 10, " \t");
	return true;
}

static bool is_loopback(const char *address)
{
	return str_starts(address, "127.") || str_starts(address, "::1");
}

char *etc_files_resolv_conf(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;
	struct strbuf sb = { 0 };
	int servers = 0;

	while ((line = strsep(&rest, "\n"))) {
		const char *address;

		if (is_nameserver(line, &address)) {
			if (is_loopback(address))
				continue;
			servers++;
		}
		if (*line || rest)
			strbuf_printf(&sb, "%s\n", line);
	}
	if (!servers)
		strbuf_puts(&sb, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
	return strbuf_steal(&sb);
}

static int write_resolv_conf(const char *directory, enum network_mode network, struct error *err)
{
	_cleanup_free_ char *text = read_host("/etc/resolv.conf"), *own = NULL;

	/* systemd-resolved's stub listens on the host's loopback; its upstream servers are kept beside */
	if (network != NETWORK_HOST && strstr(text, "nameserver 127.0.0.53") &&
		access("/run/systemd/resolve/resolv.conf", R_OK) == 0) {
		free(text);
		text = read_host("/run/systemd/resolve/resolv.conf");
	}
	own = network == NETWORK_HOST ? xstrdup(text) : etc_files_resolv_conf(text);
	return write_file(directory, "resolv.conf", own, err);
}

int etc_files_write(const char *directory, const char *hostname, const char *address,
	enum network_mode network, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf hosts = { 0 };
	_cleanup_free_ char *line = xasprintf("%s\n", hostname), *host = NULL;
	int r;

	if (network == NETWORK_HOST) {
		host = read_host("/etc/hosts");
		strbuf_puts(&hosts, host);
	} else {
		strbuf_puts(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
		if (address)
			strbuf_printf(&hosts, "%s\t%s\n", address, hostname);
	}
	r = write_file(directory, "hosts", hosts.text ? hosts.text : "", err);
	if (r == 0)
		r = write_file(directory, "hostname", line, err);
	return r == 0 ? write_resolv_conf(directory, network, err) : r;
}
