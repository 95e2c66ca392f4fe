/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_REFUSAL_H
#define CTRACE_REFUSAL_H

#include <stdbool.h>

/* What this process lacks to be let trace, as far as it can tell of itself. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_USER_NAMESPACE, /* its capabilities are of a user namespace below the host's, and say nothing here */
	REFUSAL_CAP_BPF,
	REFUSAL_CAP_PERFMON,
};

enum refusal refusal_of_privilege(void);

/* A seccomp filter is active; which calls it refuses cannot be asked. */
bool refusal_by_filter(void);

/* For whom the kernel refused: what is wrong and what to do, in words that go on after a colon. */
const char *refusal_words(void);

#endif
