/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that executes the container's program.
 *
 * A container can name /proc/self/exe as its program, or as the interpreter of a script, and so get hold
 * of the runtime's own binary and overwrite it once it is free (CVE-2019-5736). Copying the whole
 * runtime into a sealed memfd at every start, as others do, costs the copy and a second dynamic link. Here
 * init's last act is to become a program of some hundred bytes in a sealed memfd that does nothing but
 * execve(argv[0], argv + 1, envp): /proc/self/exe then leads to that. Up to there no process of the
 * container sees init's /proc/PID/exe: init is not dumpable.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

extern const char runtime_stub_start[], runtime_stub_end[];

/* fcntl(fd, F_SETFD, FD_CLOEXEC), which fails where the container executes the stub by /proc/self/exe, and
 * then that is the end; execve(argv[0], argv + 1, envp); write(fd, &errno, 4);
 * exit(errno == ENOENT ? 127 : 126). The last word of the image is fd. */
#if defined(__x86_64__)
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"runtime_stub_start:\n"
	"	mov (%rsp), %rbx\n"
	"	mov 1f(%rip), %edi\n"
	"	mov $72, %eax\n"
	"	mov $2, %esi\n"
	"	mov $1, %edx\n"
	"	syscall\n"
	"	mov $126, %edi\n"
	"	test %eax, %eax\n"
	"	js 2f\n"
	"	mov 8(%rsp), %rdi\n"
	"	lea 16(%rsp), %rsi\n"
	"	lea 16(%rsp,%rbx,8), %rdx\n"
	"	mov $59, %eax\n"
	"	syscall\n"
	"	neg %eax\n"
	"	push %rax\n"
	"	mov 1f(%rip), %edi\n"
	"	mov %rsp, %rsi\n"
	"	mov $4, %edx\n"
	"	mov $1, %eax\n"
	"	syscall\n"
	"	mov $126, %edi\n"
	"	cmpl $2, (%rsp)\n"
	"	jne 2f\n"
	"	inc %edi\n"
	"2:	mov $60, %eax\n"
	"	syscall\n"
	"	.balign 4\n"
	"1:	.long -1\n"
	"runtime_stub_end:\n"
	".popsection\n");
enum { STUB_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"runtime_stub_start:\n"
	"	ldr x19, [sp]\n"
	"	ldr w20, 1f\n"
	"	mov w0, w20\n"
	"	mov x1, #2\n"
	"	mov x2, #1\n"
	"	mov x8, #25\n"
	"	svc #0\n"
	"	mov w21, w0\n"
	"	tbnz w0, #31, 2f\n"
	"	ldr x0, [sp, #8]\n"
	"	add x1, sp, #16\n"
	"	add x2, x1, x19, lsl #3\n"
	"	mov x8, #221\n"
	"	svc #0\n"
	"	neg w21, w0\n"
	"	str w21, [sp, #-16]!\n"
	"	mov w0, w20\n"
	"	mov x1, sp\n"
	"	mov x2, #4\n"
	"	mov x8, #64\n"
	"	svc #0\n"
	"2:	mov x0, #126\n"
	"	cmp w21, #2\n"
	"	cinc x0, x0, eq\n"
	"	mov x8, #93\n"
	"	svc #0\n"
	"1:	.long -1\n"
	"runtime_stub_end:\n"
	".popsection\n");
enum { STUB_MACHINE = EM_AARCH64 };
#else
#error "the execution stub is not written for this architecture"
#endif

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr load, stack;
	char code[512];
};

static size_t build(struct image *image, int error_fd)
{
	const Elf64_Addr base = 0x400000;
	size_t code = runtime_stub_end - runtime_stub_start;
	size_t size = offsetof(struct image, code) + code;

	memset(image, 0, sizeof(*image));
	memcpy(image->header.e_ident, ELFMAG, SELFMAG);
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = ELFDATA2LSB;
	image->header.e_ident[EI_VERSION] = EV_CURRENT;
	image->header.e_type = ET_EXEC;
	image->header.e_machine = STUB_MACHINE;
	image->header.e_version = EV_CURRENT;
	image->header.e_entry = base + offsetof(struct image, code);
	image->header.e_phoff = offsetof(struct image, load);
	image->header.e_ehsize = sizeof(image->header);
	image->header.e_phentsize = sizeof(image->load);
	image->header.e_phnum = 2;
	image->load = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base,
		.p_paddr = base, .p_filesz = size, .p_memsz = size, .p_align = 0x10000 };
	image->stack = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16 };
	memcpy(image->code, runtime_stub_start, code);
	memcpy(image->code + code - sizeof(error_fd), &error_fd, sizeof(error_fd));
	return size;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int stub_open(int error_fd, struct error *err)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_close_ int fd = -1;
	struct image image;
	size_t size = build(&image, error_fd);

	fd = memfd_create("ctrace-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* before 6.3 */
		fd = memfd_create("ctrace-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, &image, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return error_errno(err, errno, "cannot make the sealed program that starts the "
			"container (memfd)");
	return steal_fd(&fd);
}
