/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/format.h"
#include "runtime/runtime.h"
#include "util/cleanup.h"
#include "util/strbuf.h"
#include "version.h"

const char ctrace_version[] = CTRACE_VERSION;

static void print(const char *name, const char *kind, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf escaped = { 0 };

	format_text(&escaped, text, strlen(text), true);
	fprintf(stderr, "ctrace %s: %s%s\n", name, kind, escaped.text ? escaped.text : "unknown error");
}

int command_fail(const char *name, int code, const struct error *err)
{
	print(name, "", err->text);
	return code;
}

void command_warn(const char *name, const char *text)
{
	print(name, "warning: ", text);
}

void command_ending_signals(sigset_t *ret_set)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM };
	struct sigaction at_hangup;

	sigemptyset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(ret_set, numbers[i]);
	if (sigaction(SIGHUP, NULL, &at_hangup) == 0 && at_hangup.sa_handler != SIG_IGN)
		sigaddset(ret_set, SIGHUP);
}

void command_ended_by(const char *name, int signal_number)
{
	if (signal_number != SIGINT && signal_number != SIGTERM)
		fprintf(stderr, "ctrace %s: ended by SIG%s\n", name, sigabbrev_np(signal_number));
}

void command_wrong_arguments(struct argp_state *state, const char *text)
{
	argp_err_exit_status = 1;
	argp_error(state, "%s", text);
}

int command_program_path(const char *program, char *ret_path, size_t size, struct error *err)
{
	static const char *const places[] = { "", "../libexec/ctrace/" };
	const char *sealed_from = getenv(RUNTIME_SEALED_FROM);
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (length < 0)
		return error_errno(err, errno, "cannot find ctrace's own directory (/proc/self/exe)");
	self[length] = '\0';
	if (str_starts(self, "/memfd:") && sealed_from) /* runtime_seal's copy */
		snprintf(self, sizeof(self), "%s", sealed_from);
	slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if ((size_t)snprintf(ret_path, size, "%s%s%s", self, places[i], program) < size &&
			access(ret_path, X_OK) == 0)
			return 0;
	}
	return error_set(err, ENOENT, "program %s is missing beside ctrace in %s: reinstall ctrace",
		program, self);
}
