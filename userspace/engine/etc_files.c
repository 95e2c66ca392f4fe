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

static bool is_set(const struct etc_files *f)
{
	return (f->dns && f->dns->count) || (f->dns_search && f->dns_search->count) ||
	       (f->dns_options && f->dns_options->count);
}

static void put_words(struct strbuf *sb, const char *keyword, const struct string_list *list, bool one_line)
{
	for (size_t i = 0; list && i < list->count; i++) {
		if (i == 0 || !one_line)
			strbuf_puts(sb, keyword);
		strbuf_printf(sb, " %s%s", list->items[i], one_line && i + 1 < list->count ? "" : "\n");
	}
}

/* What --dns and its relatives say replaces the host's lines of that keyword. */
static char *replace_settings(const char *text, const struct etc_files *f)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;
	struct strbuf sb = { 0 };

	if (f->dns_search->count != 1 || strcmp(f->dns_search->items[0], ".") != 0) /* "." alone: search nowhere */
		put_words(&sb, "search", f->dns_search, true);
	put_words(&sb, "nameserver", f->dns, false);
	put_words(&sb, "options", f->dns_options, true);
	while ((line = strsep(&rest, "\n"))) {
		bool replaced = (f->dns->count && str_starts(line, "nameserver")) ||
				(f->dns_search->count &&
					(str_starts(line, "search") || str_starts(line, "domain"))) ||
				(f->dns_options->count && str_starts(line, "options"));

		if (*line && !replaced)
			strbuf_printf(&sb, "%s\n", line);
	}
	return strbuf_steal(&sb);
}

static int write_resolv_conf(const struct etc_files *f, struct error *err)
{
	_cleanup_free_ char *text = read_host("/etc/resolv.conf"), *own = NULL;

	/* systemd-resolved's stub listens on the host's loopback; its upstream servers are kept beside */
	if (!f->host_network && strstr(text, "nameserver 127.0.0.53") &&
		access("/run/systemd/resolve/resolv.conf", R_OK) == 0) {
		free(text);
		text = read_host("/run/systemd/resolve/resolv.conf");
	}
	own = f->host_network ? xstrdup(text) : etc_files_resolv_conf(text);
	if (is_set(f)) {
		char *replaced = replace_settings(own, f);

		free(own);
		own = replaced;
	}
	return write_file(f->directory, "resolv.conf", own, err);
}

static void put_hosts(struct strbuf *sb, const struct etc_files *f)
{
	for (size_t i = 0; f->hosts && i < f->hosts->count; i++) {
		const char *entry = f->hosts->items[i], *address = strchr(entry, ':') + 1;

		if (!strcmp(address, "host-gateway"))
			address = f->gateway ? f->gateway : "127.0.0.1";
		strbuf_printf(sb, "%s\t%.*s\n", address, (int)strcspn(entry, ":"), entry);
	}
}

int etc_files_write_hosts(const struct etc_files *f, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf hosts = { 0 };
	_cleanup_free_ char *host = NULL;

	if (f->host_network) {
		host = read_host("/etc/hosts");
		strbuf_puts(&hosts, host);
	} else {
		strbuf_puts(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	}
	put_hosts(&hosts, f);
	if (!f->host_network && f->address && *f->address)
		strbuf_printf(&hosts, "%s\t%s\n", f->address, f->hostname);
	return write_file(f->directory, "hosts", hosts.text ? hosts.text : "", err);
}

/* A container that joins another's network has its files, too. */
static int copy_joined(const struct etc_files *f, struct error *err)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->joined, names[i]);
		_cleanup_free_ char *text = read_host(path);

		r = write_file(f->directory, names[i], text, err);
	}
	return r;
}

int etc_files_write(const struct etc_files *f, struct error *err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", f->hostname);
	int r;

	if (f->joined)
		return copy_joined(f, err);
	r = etc_files_write_hosts(f, err);
	if (r == 0)
		r = write_file(f->directory, "hostname", line, err);
	return r == 0 ? write_resolv_conf(f, err) : r;
}
