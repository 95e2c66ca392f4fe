/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/init_program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

enum { PROGRAM_HEADERS_MAX = 64 };

/* A program without an interpreter (PT_INTERP) needs nothing else. */
static bool is_static(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) header;

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_phnum > PROGRAM_HEADERS_MAX)
		return false;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		ElfW(Phdr) program;
		off_t at = (off_t)(header.e_phoff + i * sizeof(program));

		if (pread(fd, &program, sizeof(program), at) != (ssize_t)sizeof(program) ||
			program.p_type == PT_INTERP)
			return false;
	}
	return true;
}

int init_program_find(char *ret_path, size_t size, struct error *err)
{
	/* all of them take "-- COMMAND" */
	static const char *const places[] = { "/usr/libexec/docker/docker-init", "/usr/bin/docker-init",
		"/usr/local/bin/docker-init", "/usr/libexec/podman/catatonit", "/usr/bin/catatonit",
		"/usr/bin/tini-static", "/usr/bin/tini", "/sbin/tini" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (access(places[i], X_OK) == 0 && is_static(places[i])) {
			snprintf(ret_path, size, "%s", places[i]);
			return 0;
		}
	}
	return error_set(err, ENOENT, "--init: no static init program (docker-init, catatonit, "
		"tini-static) is on this host: install the package tini");
}
