/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md "The Container Process State": who answers for SCMP_ACT_NOTIFY gets the listener. */
#include <errno.h>
#include <unistd.h>

#include "runtime/runtime_internal.h"
#include "util/cleanup.h"

int notify_send(const struct container *c, pid_t pid, const struct seccomp_program *p, int listener,
	struct error *err)
{
	if (!p->listener)
		return error_set(err, EPROTO, "nobody listens for seccomp notifications");
	_cleanup_free_ char *state = state_document(c, RUNTIME_CREATING);
	_cleanup_(doc_put) json_object *o = json_object_new_object();
	json_object *fds = json_object_new_array(), *parsed = json_tokener_parse(state);
	json_object *version = json_object_object_get(parsed, "ociVersion");
	int r;

	json_object_array_add(fds, json_object_new_string("seccompFd"));
	json_object_object_add(o, "ociVersion", json_object_get(version));
	json_object_object_add(o, "fds", fds);
	json_object_object_add(o, "pid", json_object_new_int(pid));
	json_object_object_add(o, "metadata", json_object_new_string(p->metadata ? p->metadata : ""));
	json_object_object_add(o, "state", parsed);
	r = console_send_fd(p->listener, json_object_to_json_string_ext(o,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), listener,
		"the seccomp listener", err);
	return r < 0 ? error_prefix(err, "linux.seccomp.listenerPath: failed to connect with seccomp agent") : 0;
}
