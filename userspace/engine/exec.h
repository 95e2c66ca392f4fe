/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_EXEC_H
#define CTRACE_EXEC_H

/* One more program in a running container: docker exec. */

#include <stdbool.h>

#include "engine/state.h"
#include "util/error.h"
#include "util/string_list.h"

struct exec_request {
	char *const *argv;
	const char *user, *workdir; /* NULL = the container's own */
	const char *detach_keys;     /* of detach_keys_parse */
	struct string_list env;
	bool interactive, terminal, detach, privileged;
};

/* Returns 0 with the program's exit code (0 when detached), or what failed with *ret_code 125, 126, 127. */
int exec_in_container(const struct state *s, const struct exec_request *request, int *ret_code,
	struct error *err);

#endif
