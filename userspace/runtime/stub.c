/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that executes the container's program.
 *
 * A container can name /proc/self/exe as its program, or as the interpreter of a script, or open /proc/PID/exe of
 * a process that enters it, and so get hold of the runtime's own binary and overwrite it once it is free
 * (CVE-2019-5736). Being not dumpable keeps others out only as long as they have no CAP_SYS_PTRACE. Copying the
 * whole runtime into a sealed memfd at every start, as others do, costs the copy and a second dynamic link. Here
 * the last act of all that the runtime has to do is to become a program of some hundred bytes in a sealed memfd:
 * it waits for the start where there is one to wait for, forks where the process is to be in another pid
 * namespace than its maker, and does execve(argv[0], argv + 1, envp). So no process with the runtime's binary
 * is ever in a pid namespace with processes of the container: `exec` stays outside and lets the stub fork.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

/* Hidden, so that they are not looked up in the GOT: the assembler turns local symbols into an offset in their section, which
 * aarch64's linker does not heed there, and both would be the beginning of .rodata. */
extern const char runtime_stub_start[] __attribute__((visibility("hidden")));
extern const char runtime_stub_end[] __attribute__((visibility("hidden")));

/*
 * The last three words of the image are error_fd, wait_fd (-1 = do not wait) and fork (enum stub_fork).
 *
 *	fcntl(error_fd, F_SETFD, FD_CLOEXEC)    or exit(126): where the container executes the stub by
 *	                                        /proc/self/exe there is none, and that is the end
 *	if (wait_fd >= 0)
 *		fcntl(wait_fd, F_SETFD, FD_CLOEXEC), read(wait_fd, ..., 64) > 0   or exit(125)
 *	if (fork && clone(CLONE_PARENT) > 0)
 *		write(error_fd, {MESSAGE_READY, pid, 0}, 12), exit(0)
 *	in the new process: setsid(), and where asked for ioctl(0, TIOCSCTTY, 0)
 *	execve(argv[0], argv + 1, envp)
 *	write(error_fd, &errno, 4), exit(errno == ENOENT ? 127 : 126)
 */
#define STRING_(x) #x
#define STRING(x) STRING_(x)
_Static_assert(MESSAGE_READY == STUB_READY, "the stub's message");

#if defined(__x86_64__)
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"runtime_stub_start:\n"
	"	mov (%rsp), %rbx\n"
	"	mov 7f(%rip), %edi\n"
	"	mov $72, %eax\n" /* fcntl */
	"	mov $2, %esi\n"
	"	mov $1, %edx\n"
	"	syscall\n"
	"	mov $126, %edi\n"
	"	test %eax, %eax\n"
	"	js 6f\n"
	"	mov 8f(%rip), %edi\n"
	"	test %edi, %edi\n"
	"	js 2f\n"
	"	mov $72, %eax\n"
	"	mov $2, %esi\n"
	"	mov $1, %edx\n"
	"	syscall\n"
	"1:	xor %eax, %eax\n" /* read */
	"	lea -128(%rsp), %rsi\n"
	"	mov $64, %edx\n"
	"	syscall\n"
	"	cmp $-4, %eax\n" /* EINTR */
	"	je 1b\n"
	"	mov $125, %edi\n"
	"	test %eax, %eax\n"
	"	jle 6f\n"
	"2:	mov 9f(%rip), %eax\n"
	"	test %eax, %eax\n"
	"	jz 4f\n"
	"	mov $56, %eax\n" /* clone */
	"	mov $0x8000, %edi\n"
	"	xor %esi, %esi\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	js 5f\n"
	"	jz 3f\n"
	"	movl $" STRING(STUB_READY) ", -16(%rsp)\n"
	"	mov %eax, -12(%rsp)\n"
	"	movl $0, -8(%rsp)\n"
	"	mov 7f(%rip), %edi\n"
	"	lea -16(%rsp), %rsi\n"
	"	mov $12, %edx\n"
	"	mov $1, %eax\n" /* write */
	"	syscall\n"
	"	xor %edi, %edi\n"
	"	jmp 6f\n"
	"3:	mov $112, %eax\n" /* setsid */
	"	syscall\n"
	"	cmpl $2, 9f(%rip)\n"
	"	jne 4f\n"
	"	mov $16, %eax\n" /* ioctl(0, TIOCSCTTY, 0) */
	"	xor %edi, %edi\n"
	"	mov $0x540e, %esi\n"
	"	xor %edx, %edx\n"
	"	syscall\n"
	"4:	mov 8(%rsp), %rdi\n"
	"	lea 16(%rsp), %rsi\n"
	"	lea 16(%rsp,%rbx,8), %rdx\n"
	"	mov $59, %eax\n" /* execve */
	"	syscall\n"
	"5:	neg %eax\n"
	"	push %rax\n"
	"	mov 7f(%rip), %edi\n"
	"	mov %rsp, %rsi\n"
	"	mov $4, %edx\n"
	"	mov $1, %eax\n"
	"	syscall\n"
	"	mov $126, %edi\n"
	"	cmpl $2, (%rsp)\n"
	"	jne 6f\n"
	"	inc %edi\n"
	"6:	mov $60, %eax\n" /* exit */
	"	syscall\n"
	"	.balign 4\n"
	"7:	.long -1\n"
	"8:	.long -1\n"
	"9:	.long 0\n"
	"runtime_stub_end:\n"
	".popsection\n");
enum { STUB_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"runtime_stub_start:\n"
	"	ldr x19, [sp]\n"
	"	ldr w20, 7f\n"
	"	mov w0, w20\n"
	"	mov x1, #2\n"
	"	mov x2, #1\n"
	"	mov x8, #25\n" /* fcntl */
	"	svc #0\n"
	"	mov w22, #126\n"
	"	tbnz w0, #31, 6f\n"
	"	ldr w23, 8f\n"
	"	tbnz w23, #31, 2f\n"
	"	mov w0, w23\n"
	"	mov x1, #2\n"
	"	mov x2, #1\n"
	"	mov x8, #25\n"
	"	svc #0\n"
	"1:	mov w0, w23\n"
	"	sub x1, sp, #128\n"
	"	mov x2, #64\n"
	"	mov x8, #63\n" /* read */
	"	svc #0\n"
	"	cmn w0, #4\n" /* EINTR */
	"	b.eq 1b\n"
	"	mov w22, #125\n"
	"	cmp w0, #0\n"
	"	b.le 6f\n"
	"2:	ldr w0, 9f\n"
	"	cbz w0, 4f\n"
	"	mov x0, #0x8000\n"
	"	mov x1, #0\n"
	"	mov x2, #0\n"
	"	mov x3, #0\n"
	"	mov x4, #0\n"
	"	mov x8, #220\n" /* clone */
	"	svc #0\n"
	"	tbnz w0, #31, 5f\n"
	"	cbz w0, 3f\n"
	"	mov w1, #" STRING(STUB_READY) "\n"
	"	stp w1, w0, [sp, #-16]!\n"
	"	str wzr, [sp, #8]\n"
	"	mov w0, w20\n"
	"	mov x1, sp\n"
	"	mov x2, #12\n"
	"	mov x8, #64\n" /* write */
	"	svc #0\n"
	"	mov w22, #0\n"
	"	b 6f\n"
	"3:	mov x8, #157\n" /* setsid */
	"	svc #0\n"
	"	ldr w0, 9f\n"
	"	cmp w0, #2\n"
	"	b.ne 4f\n"
	"	mov x0, #0\n"
	"	mov x1, #0x540e\n"
	"	mov x2, #0\n"
	"	mov x8, #29\n" /* ioctl(0, TIOCSCTTY, 0) */
	"	svc #0\n"
	"4:	ldr x0, [sp, #8]\n"
	"	add x1, sp, #16\n"
	"	add x2, x1, x19, lsl #3\n"
	"	mov x8, #221\n" /* execve */
	"	svc #0\n"
	"5:	neg w21, w0\n"
	"	str w21, [sp, #-16]!\n"
	"	mov w0, w20\n"
	"	mov x1, sp\n"
	"	mov x2, #4\n"
	"	mov x8, #64\n"
	"	svc #0\n"
	"	mov w22, #126\n"
	"	cmp w21, #2\n"
	"	cinc w22, w22, eq\n"
	"6:	mov w0, w22\n"
	"	mov x8, #93\n" /* exit */
	"	svc #0\n"
	"7:	.long -1\n"
	"8:	.long -1\n"
	"9:	.long 0\n"
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

static size_t build(struct image *image, const int words[3])
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
	memcpy(image->code + code - 3 * sizeof(*words), words, 3 * sizeof(*words));
	return size;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int stub_open(int error_fd, int wait_fd, enum stub_fork fork, struct error *err)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	_cleanup_close_ int fd = -1;
	struct image image;
	size_t size = build(&image, (const int[]){ error_fd, wait_fd, (int)fork });

	fd = memfd_create("ctrace-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* before 6.3 */
		fd = memfd_create("ctrace-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, &image, size) != (ssize_t)size || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return error_errno(err, errno, "cannot make the sealed program that starts the "
			"container (memfd)");
	return steal_fd(&fd);
}
