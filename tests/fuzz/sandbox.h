/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEST_SANDBOX_H
#define CTRACE_TEST_SANDBOX_H

#include <stdbool.h>

/*
 * For targets that write files: after this the process sees every file system read-only but the working directory
 * (where libFuzzer keeps what it finds). A mount namespace does it; without privilege, one inside of a user namespace,
 * which a process can only enter before it has threads. False with a text on stderr where that is not possible here.
 */
bool sandbox_enter(void);

/* A directory in memory that has no place in the tree, bounded in bytes and files; -1 = not possible. */
int sandbox_directory(void);

/* Enters it and makes such a directory, once; -1 where one of the two is not possible. */
int sandbox_once(void);

#ifdef FUZZ_STANDALONE /* before libFuzzer has threads */
#define SANDBOX_FIRST                                         \
	int LLVMFuzzerInitialize(int *argc, char ***argv);    \
	int LLVMFuzzerInitialize(int *argc, char ***argv)     \
	{                                                     \
		(void)argc;                                   \
		(void)argv;                                   \
		if (sandbox_once() < 0)                       \
			exit(1);                              \
		return 0;                                     \
	}
#else
#define SANDBOX_FIRST
#endif

#endif
