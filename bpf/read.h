/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_READ_H
#define CTRACE_READ_H

/*
 * How the kernel's memory is read. Every program is compiled twice: with the helpers that v5.10 has, too, and
 * (CTRACE_DIRECT_READS) with plain loads through pointers whose type the verifier knows. Under
 * lockdown=confidentiality the kernel refuses the former and allows the latter, since v6.2 with any number for
 * a pointer: bpf_rdonly_cast (a35b9af4ec2c). A load that faults gives 0 both ways.
 */

#include "kernel.h"

#include "bpf/event.h"

#ifdef CTRACE_DIRECT_READS

/* As libbpf 1.4 and newer declare it. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* The same address as a pointer that may be followed. */
#define TYPED(p) ((__typeof__(*(p)) *)bpf_rdonly_cast((void *)(p), bpf_core_type_id_kernel(__typeof__(*(p)))))

#define READ(p, ...)                                                                            \
	({                                                                                      \
		__typeof__(*(p)) *typed_ = TYPED(p);                                            \
		___arrow(typed_, __VA_ARGS__);                                                  \
	})

/* What lies at a constant distance inside a structure. */
#define READ_AT(to, address) ((to) = *(__typeof__(to) *)(address))

/* The same in halves, as the verifier allows it whether the member is one word or an array. */
#define READ_WORDS(to, address)                                                                 \
	({                                                                                      \
		((__u32 *)&(to))[0] = ((const volatile __u32 *)(address))[0];                   \
		((__u32 *)&(to))[1] = ((const volatile __u32 *)(address))[1];                   \
	})

/* Only a bounded number may be added to a pointer. The mask is beyond every valid value. */
#define bounded(number, mask) ((number) & (mask))

/* A section of its own: the layout of .rodata is that of the other object. */
static const char text_format[] SEC(".rodata.text") = "%s";

/* What bpf_snprintf takes of a string, NUL included. */
enum { KERNEL_TEXT = 512 };

/* As bpf_probe_read_kernel_str, but no more than KERNEL_TEXT. What cannot be read is "". */
static __always_inline long read_text(char *to, __u32 size, const void *from)
{
	__u64 argument = (__u64)from;
	long length = bpf_snprintf(to, size, text_format, &argument, sizeof(argument));

	return length > (long)size ? (long)size : length;
}

/* An array of characters, whole; not 0 if that fails. */
#define copy_text(to, size, from)                                                               \
	({                                                                                      \
		__builtin_memset((to), 0, (size));                                              \
		read_text((to), (size), (from)) <= 0;                                           \
	})

/* Bytes behind which the kernel put a NUL: those up to the first NUL. */
#define read_terminated(to, size, from) (read_text((to), (size) + 1, (from)) <= 0)

/* Zeroes more than the 1 KiB that clang lets memset inline to: a read that fails zeroes its target, and
 * this address fails at once. */
#define zero(p, size) bpf_probe_read_user((p), (size), (void *)~0UL)

/* The element of an array of pointers to files. What is an address to the verifier becomes a pointer to a
 * structure that begins with such a pointer. */
#define READ_FILE(to, address)                                                                  \
	({                                                                                      \
		if (bpf_core_field_offset(struct kiocb, ki_filp) == 0)                          \
			(to) = READ((struct kiocb *)(address), ki_filp);                        \
	})

/* A pointer as a plain number, which is what a global function takes: through memory where the verifier does not
 * follow it. */
#define as_number(pointer, memory)                                                              \
	({                                                                                      \
		volatile __u64 *memory_ = (void *)(memory);                                     \
		__u64 number_;                                                                  \
		*memory_ = (__u64)(pointer);                                                    \
		number_ = *memory_;                                                             \
		*memory_ = 0;                                                                   \
		number_;                                                                        \
	})

#else

enum { KERNEL_TEXT = EVENT_DATA }; /* as much as a record holds */
#define TYPED(p) (p)
#define READ(p, ...) BPF_CORE_READ(p, __VA_ARGS__)
#define READ_AT(to, address) bpf_probe_read_kernel(&(to), sizeof(to), (address))
#define READ_WORDS(to, address) READ_AT(to, address)
#define READ_FILE(to, address) READ_AT(to, address)
#define bounded(number, mask) (number)
#define read_text(to, size, from) bpf_probe_read_kernel_str((to), (size), (from))
#define copy_text(to, size, from) bpf_probe_read_kernel((to), (size), (from))
#define read_terminated(to, size, from) bpf_probe_read_kernel((to), (size), (from))
/* Zeroes more than the 1 KiB that clang lets memset inline to: a read that fails zeroes its
 * target, and address 0 fails at once. */
#define zero(p, size) bpf_probe_read_kernel((p), (size), NULL)
#define as_number(pointer, memory) ((__u64)(pointer))

#endif

/* struct iovec of 64-bit user space */
struct user_vector {
	__u64 base, length;
};

#endif
