/* SPDX-License-Identifier: Apache-2.0 */
/* The running program from a sealed copy of its binary (CVE-2019-5736): for the one case in which stub.c does not
 * help, a container that joins a pid namespace. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && seals & F_SEAL_WRITE;
}

static int make_copy(int binary, struct error *err)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_close_ int fd = memfd_create("ctrace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t done = 0;

	if (fd < 0 || fstat(binary, &st) < 0)
		return error_errno(err, errno, "cannot copy ctrace's binary");
	while (done < st.st_size) {
		if (sendfile(fd, binary, &done, (size_t)(st.st_size - done)) <= 0)
			return error_errno(err, errno, "cannot copy ctrace's binary");
	}
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return error_errno(err, errno, "cannot seal the copy of ctrace's binary");
	return steal_fd(&fd);
}

/* The arguments as the kernel has them. */
static char **read_arguments(struct strbuf *text)
{
	_cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char bytes[4096], **argv;
	size_t count = 0, i = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		strbuf_add(text, bytes, (size_t)n);
	for (size_t k = 0; k < text->length; k++)
		count += text->text[k] == '\0';
	argv = xcalloc(count + 1, sizeof(*argv));
	for (char *p = text->text; i < count; p += strlen(p) + 1)
		argv[i++] = p;
	return argv;
}

int seal_self(struct error *err)
{
	_cleanup_close_ int binary = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_free_ char **argv = NULL;

	if (binary < 0)
		return error_errno(err, errno, "cannot open ctrace's binary");
	if (is_sealed(binary))
		return 0;
	copy = make_copy(binary, err);
	if (copy < 0)
		return copy;
	argv = read_arguments(&text);
	fexecve(copy, argv, environ);
	return error_errno(err, errno, "cannot execute the sealed copy of ctrace's binary");
}
