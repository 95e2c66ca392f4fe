/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_MEMORY_H
#define CTRACE_MEMORY_H

/* For a program that is about to fill memory and then ends, such as one that reads a recording: lets what it allocates from now
 * on come in huge pages, and asks the kernel for it in one piece. Where that is refused nothing changes. Not for a program
 * that stays: memory that it frees goes back to the kernel no more. */
void memory_prefer_huge_pages(void);

#endif
