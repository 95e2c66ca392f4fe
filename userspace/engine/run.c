/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/run.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/attach.h"
#include "engine/child.h"
#include "engine/container_make.h"
#include "engine/leftovers.h"
#include "engine/lifetime.h"
#include "engine/registry.h"
#include "engine/signals.h"
#include "engine/store.h"
#include "engine/supervisor.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { CODE_REFUSED = 1, CODE_FAILED = 125, CODE_SIGNAL = 128 };

/* One run, from its first step to its last. */
struct run {
	const struct run_request *request;
	struct run_settings *settings;
	struct launch launch;
	struct signals signals;
	struct tracer tracer;
	struct store *store;
	struct store_image image;
	bool has_image;
	int signal; /* that interrupted the making */
	int code;
};

static void warn(const struct run *run, const char *text)
{
	if (run->request->warn && *text)
		run->request->warn(text);
}

static bool is_interrupted(struct run *run)
{
	if (!run->signal)
		run->signal = signals_interrupted(&run->signals);
	return run->signal != 0;
}

/* ---- the image ---- */

static int pull(struct run *run, struct error *err)
{
	if (!run->request->image_program)
		return error_set(err, ENOENT, "cannot pull %s: program ctrace-image is missing beside "
			"ctrace", run->settings->source);
	return child_pull(run->request->image_program, run->settings, &run->signals, &run->signal, err);
}

static int find_image(struct run *run, struct error *err)
{
	const struct run_settings *s = run->settings;
	int r = s->pull == PULL_ALWAYS ? -ENOENT
				       : store_find(run->store, s->source, s->platform, &run->image, err);

	if (r == -ENOENT && s->pull == PULL_NEVER)
		return error_set(err, ENOENT, "No such image: %s", s->source);
	if (r == -ENOENT) {
		r = pull(run, err);
		if (r == 0)
			r = store_find(run->store, s->source, s->platform, &run->image, err);
	}
	run->has_image = r == 0;
	return r;
}

static int open_source(struct run *run, struct error *err)
{
	char path[4096];
	struct stat st;
	int r;

	if (run->settings->source_type != SOURCE_IMAGE) {
		if (!realpath(run->settings->source, path) || stat(path, &st) < 0)
			return error_errno(err, errno, "cannot open %s", run->settings->source);
		if (!S_ISDIR(st.st_mode))
			return error_errno(err, ENOTDIR, "cannot use %s", run->settings->source);
	}
	if (run->settings->source_type == SOURCE_BUNDLE)
		return 0;
	r = store_open(NULL, &run->store, err);
	if (r == 0)
		leftovers_adopt(store_root(run->store));
	if (r == 0 && run->settings->source_type == SOURCE_IMAGE)
		r = find_image(run, err);
	return r;
}

/* ---- the container ---- */

static int write_cidfile(const struct run *run, struct error *err)
{
	const char *path = run->settings->cidfile, *id = run->launch.state.id;
	_cleanup_close_ int fd = -1;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, EEXIST, "Container ID file found, make sure the other container isn't "
			"running or delete %s", path);
	if (fd < 0 || write(fd, id, strlen(id)) != (ssize_t)strlen(id))
		return error_errno(err, errno, "Failed to create the container ID file %s", path);
	return 0;
}

static int make(struct run *run, bool start_later, struct error *err)
{
	const struct make_input input = { .settings = run->settings, .store = run->store,
		.image = run->has_image ? &run->image : NULL, .start_later = start_later };
	int r = container_make(&run->launch, &input, err);

	if (r == 0 && is_interrupted(run))
		r = error_set(err, EINTR, "interrupted");
	return r == 0 ? write_cidfile(run, err) : r;
}

static int create_and_start(struct run *run, struct error *err)
{
	int r = make(run, false, err);

	if (r == 0) {
		r = launch_start(&run->launch, err);
		run->code = run->launch.exit_code;
		if (r < 0 && run->settings->cidfile)
			unlink(run->settings->cidfile);
	}
	if (r < 0)
		lifetime_abort(&run->launch, err);
	return r;
}

/* ---- the tracer ---- */

static void start_tracer(struct run *run)
{
	struct error err = { 0 };

	/* no picture does not mean no file */
	if (run->settings->trace == TRACE_NONE && !run->settings->json && !run->settings->record)
		return;
	if (!run->request->tracer)
		warn(run, "program ctrace-trace is missing beside ctrace: the run is not traced");
	else if (tracer_start(run->request->tracer, run->launch.state.id, run->settings, &run->tracer,
			&err) < 0)
		warn(run, err.text);
}

static void await_tracer(struct run *run)
{
	struct error err = { 0 };

	if (tracer_wait_ready(&run->tracer, &err) < 0) {
		error_prefix(&err, "the run is not traced");
		warn(run, err.text);
	}
}

/* ---- in the foreground ---- */

static int run_here(struct run *run, struct error *err)
{
	struct lifetime t = { .launch = &run->launch, .signals = &run->signals, .local = true, .client = -1 };
	int r;

	run->launch.direct = true;
	r = create_and_start(run, err);
	return r < 0 ? r : lifetime_run(&t, &run->code, err);
}

/* ---- under a supervisor ---- */

static void release(struct run *run);

/* The child's part: makes the container, tells how it went, stays with it. */
static _Noreturn void be_supervisor(struct run *run, struct supervisor *supervisor)
{
	struct lifetime t = { .launch = &run->launch, .signals = &run->signals, .client = supervisor->client };
	struct error err = { 0 };
	int r;

	/* the tracer is the parent's */
	cleanup_close(&run->tracer.ready);
	cleanup_close(&run->tracer.done);
	run->tracer = (struct tracer){ .ready = -1, .done = -1 };
	signals_close(&run->signals);
	r = signals_open(&run->signals, &err);
	if (r == 0)
		r = create_and_start(run, &err);
	run->launch.warn = NULL; /* nobody will read it */
	supervisor_tell(supervisor, r, run->signal ? CODE_SIGNAL + run->signal : run->code, &err);
	if (r == 0) {
		if (run->has_image)
			store_image_free(&run->image);
		run->has_image = false;
		store_close(run->store);
		run->store = NULL;
		lifetime_run(&t, &run->code, NULL);
	}
	release(run);
	_exit(0);
}

static int print_id(const struct run *run, struct error *err)
{
	printf("%s\n", run->launch.state.id);
	return fflush(stdout) == 0 ? 0 : error_errno(err, errno, "cannot write the container's id");
}

static int follow(struct run *run, struct supervisor *supervisor, struct error *err)
{
	const struct run_settings *s = run->settings;
	unsigned streams = s->attach ? s->attach : ATTACH_STDIN | ATTACH_STDOUT | ATTACH_STDERR;
	struct attachment a = { .fd = supervisor->client, .input = s->interactive && streams & ATTACH_STDIN,
		.terminal = s->terminal, .output = streams & ATTACH_STDOUT, .error = streams & ATTACH_STDERR,
		.forward = !s->no_sig_proxy, .detach_keys = s->detach_keys, .signals = &run->signals };
	int r = 0;

	if (!a.output && !a.error) /* docker, too: else nobody would learn it */
		r = print_id(run, err);
	if (r == 0)
		r = attach_run(&a, &run->code, err);
	close(supervisor->client);
	if (r == 1) /* detached: it goes on without us */
		run->code = 0;
	return r < 0 ? r : 0;
}

static int run_supervised(struct run *run, struct error *err)
{
	struct supervisor supervisor;
	bool attach = !run->settings->detach;
	int r = supervisor_fork(attach, &supervisor, err);

	if (r == 1)
		be_supervisor(run, &supervisor);
	if (r == 0)
		r = supervisor_await(&supervisor, &run->code, err);
	if (r < 0)
		return r;
	if (attach)
		return follow(run, &supervisor, err);
	run->code = 0;
	return print_id(run, err);
}

/* ---- from start to end ---- */

/* A bundle says itself whether it wants a terminal; ours is needed to make use of one. */
static void read_bundle_terminal(struct run_settings *s)
{
	_cleanup_free_ char *path = NULL;
	json_object *config;

	if (s->source_type != SOURCE_BUNDLE || !isatty(STDIN_FILENO))
		return;
	path = xasprintf("%s/config.json", s->source);
	config = json_object_from_file(path);
	s->terminal = json_object_get_boolean(
		json_object_object_get(json_object_object_get(config, "process"), "terminal"));
	s->interactive |= s->terminal;
	json_object_put(config);
}

static int run_all(struct run *run, struct error *err)
{
	int r;

	leftovers_clean();
	r = open_source(run, err);
	await_tracer(run);
	if (r == 0 && is_interrupted(run))
		r = error_set(err, EINTR, "interrupted");
	if (r < 0)
		return r;
	read_bundle_terminal(run->settings);
	return run_settings_supervised(run->settings) ? run_supervised(run, err) : run_here(run, err);
}

static void release(struct run *run)
{
	launch_free(&run->launch);
	if (run->has_image)
		store_image_free(&run->image);
	store_close(run->store);
	signals_close(&run->signals);
}

/* Who shows the timeline beside the container has to know it before there is one. */
static int choose_id(struct run *run, struct error *err)
{
	const char *id = run->settings->for_tui;

	if (!id)
		return registry_new_id(run->launch.state.id, err);
	if (strlen(id) != STATE_ID_LENGTH || strspn(id, "0123456789abcdef") != STATE_ID_LENGTH)
		return error_set(err, EINVAL, "%s is no container id", id);
	memcpy(run->launch.state.id, id, STATE_ID_LENGTH + 1);
	return 0;
}

/* What both commands begin with. */
static int begin(struct run *run, const char *command, struct error *err)
{
	int r;

	if (geteuid() != 0)
		return error_set(err, EPERM, "ctrace %s needs root: try sudo ctrace %s", command, command);
	launch_init(&run->launch, run->request->warn);
	r = choose_id(run, err);
	return r == 0 ? signals_open(&run->signals, err) : r;
}

int run_container(const struct run_request *request, int *ret_code, struct error *err)
{
	struct run run = { .request = request, .settings = request->settings,
		.tracer = { .ready = -1, .done = -1 }, .code = CODE_FAILED };
	int r;

	*ret_code = CODE_FAILED;
	r = begin(&run, "run", err);
	if (r < 0)
		return r;
	/* the start is what there is to see: nobody waits for the end */
	run.settings->detach_trace |= run.settings->detach;
	start_tracer(&run);
	r = run_all(&run, err);
	tracer_finish(&run.tracer);
	*ret_code = run.signal ? CODE_SIGNAL + run.signal : run.code;
	release(&run);
	return r;
}

/* ---- made now, started later ---- */

static int make_to_rest(struct run *run, struct error *err)
{
	struct launch *l = &run->launch;
	int r = make(run, true, err);

	if (r == 0) {
		/* so that there is a log to read before it has run */
		r = container_log_open(&l->state, &l->log, err);
		if (r == 0)
			r = lifetime_rest(l, err);
		if (r < 0 && run->settings->cidfile)
			unlink(run->settings->cidfile);
	}
	if (r < 0) {
		l->state.status = STATE_CREATING; /* or it would rest all the same */
		lifetime_abort(l, err);
	}
	return r;
}

int create_container(const struct run_request *request, int *ret_code, struct error *err)
{
	struct run run = { .request = request, .settings = request->settings, .code = CODE_REFUSED };
	int r;

	*ret_code = CODE_REFUSED;
	r = begin(&run, "create", err);
	if (r < 0)
		return r;
	leftovers_clean();
	r = open_source(&run, err);
	if (r == 0 && is_interrupted(&run))
		r = error_set(err, EINTR, "interrupted");
	if (r == 0)
		r = make_to_rest(&run, err);
	if (r == 0)
		r = print_id(&run, err);
	*ret_code = run.signal ? CODE_SIGNAL + run.signal : r < 0 ? CODE_REFUSED : 0;
	release(&run);
	return r;
}
