/* SPDX-License-Identifier: Apache-2.0 */
/* Sources, sampling, --batch. */
#include "tui/dashboard_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "capture/programs.h"
#include "capture/stream.h"
#include "tui/export.h"
#include "tui/terminal.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/privilege.h"

/* Of each second so much may go into reading groups that nobody looks at; events that wait while the screen is
 * held, at most. */
enum { PROGRAMS_MAX = 128, BUDGET_NS = 8000000, HELD_BYTES = 128 << 20, BATCH_COLUMNS = 120 };

uint64_t dashboard_clock(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

/* ---- begin and end ---- */

static int open_source(struct dashboard *d, struct error *err)
{
	struct capture_options options = { .always_armed = d->o->always_armed, .start_armed = d->o->program != NULL };
	struct stream_options stream = { .arm = d->o->program != NULL };

	if (d->o->recording)
		return player_open(d->o->recording, &d->player, err);
	/* where a tracer serves this host, programs need not be loaded a second time */
	if (!d->o->always_armed && source_open_socket(&stream, &d->source, NULL) == 0)
		return 0;
	return source_open_live(&options, &d->source, err);
}

static int apply_options(struct dashboard *d, struct error *err)
{
	char why[UI_TEXT];
	size_t column = d->o->sort ? containers_column(d->o->sort) : 0;

	d->ui.view = d->o->view;
	d->ui.readonly = d->o->readonly;
	d->ui.mouse = !d->o->no_mouse;
	if (d->o->sort && column == containers_column_count())
		return error_set(err, EINVAL, "there is no column %s to sort by", d->o->sort);
	if (d->o->sort)
		d->ui.containers.sort = column;
	if (d->o->filter && !ui_set_filter(&d->ui, d->o->filter, why, sizeof(why)))
		return error_set(err, EINVAL, "--filter: %s", why);
	return 0;
}

int dashboard_open(struct dashboard *d, struct error *err)
{
	int r = open_source(d, err);

	if (r < 0)
		return r;
	model_init(&d->model, d->player ? player_facts(d->player) : source_facts(d->source), d->player != NULL);
	ui_init(&d->ui, terminal_utf8(), d->player != NULL);
	if (d->o->program) {
		snprintf(d->model.only_id, sizeof(d->model.only_id), "%s", d->o->program->id);
		if (getenv("TRACEPARENT"))
			span_context_set_parent(&d->model.spans, getenv("TRACEPARENT"), d->o->program->id);
	}
	if (d->player && d->o->play > 0) {
		d->model.playback.speed = d->o->play;
		d->model.playback.playing = true;
	} else if (d->player) {
		player_seek(d->player, &d->model, UINT64_MAX);
	}
	return apply_options(d, err);
}

void dashboard_close(struct dashboard *d)
{
	if (d->model.facts) {
		ui_free(&d->ui);
		model_free(&d->model);
	}
	player_close(d->player);
	source_close(d->source);
	strbuf_free(&d->held);
}

/* ---- events ---- */

static int take_event(void *arg, const struct event *event)
{
	struct dashboard *d = arg;

	if (d->ui.held && d->held.length + event->size > HELD_BYTES) {
		d->ui.held = false; /* nothing may be lost for a pause */
		dashboard_release(d);
		ui_say(&d->ui, true, "the pause has ended: no more events could wait");
	}
	d->held_events++;
	if (d->ui.held)
		strbuf_add(&d->held, event, event->size);
	else
		model_feed(&d->model, event);
	return 0;
}

void dashboard_release(struct dashboard *d)
{
	union {
		struct event h;
		char bytes[8192];
	} record;

	for (size_t at = 0; at + sizeof(record.h) <= d->held.length;) {
		uint16_t size;

		memcpy(&size, d->held.text + at, sizeof(size)); /* records are not aligned here */
		if (size < sizeof(record.h) || size > sizeof(record) || at + size > d->held.length)
			break;
		memcpy(&record, d->held.text + at, size);
		model_feed(&d->model, &record.h);
		at += size;
	}
	strbuf_free(&d->held);
}

int dashboard_read(struct dashboard *d, struct error *err)
{
	uint64_t begin = dashboard_clock(), took;
	int r;

	d->held_events = 0;
	r = source_read(d->source, take_event, d, err);
	if (r == 1) {
		d->source_ended = true;
		snprintf(d->model.problem, sizeof(d->model.problem), "the tracer that served this host has ended: "
			"what is shown stands still");
	}
	took = dashboard_clock() - begin;
	if (took > d->model.host.read_ns)
		d->model.host.read_ns = took;
	return r < 0 ? r : d->held_events > 0;
}

void dashboard_drain(struct dashboard *d)
{
	source_drain(d->source, take_event, d, NULL); /* what came before an error was given */
	d->source_ended = true;
	timeline_finish(d->model.timeline);
}

/* ---- figures ---- */

static uint64_t program_time(const struct dashboard *d)
{
	struct program_time times[PROGRAMS_MAX];
	const struct capture *capture = d->source ? source_capture(d->source) : NULL;
	size_t count = capture ? capture_program_times(capture, times, PROGRAMS_MAX) : 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += times[i].run_ns;
	return sum;
}

struct sight {
	const struct container **items;
	size_t count;
	const struct container *chosen;
};

static bool in_sight(void *arg, const struct container *c)
{
	const struct sight *sight = arg;

	for (size_t i = 0; i < sight->count; i++) {
		if (sight->items[i] == c)
			return true;
	}
	return c == sight->chosen;
}

void dashboard_sample(struct dashboard *d)
{
	struct model *m = &d->model;
	struct container_rows rows;
	const struct list *list = &d->ui.containers.list;
	size_t page = d->o->batch ? SIZE_MAX : list->page ? list->page : 50;
	struct sight sight;

	if (!m->resources || d->ui.held)
		return;
	m->now_ns = dashboard_clock();
	rows = containers_rows(&d->ui, m);
	sight = (struct sight){ .items = rows.items, .count = rows.count, .chosen = ui_container(&d->ui, m) };
	if (list->top < rows.count) {
		sight.items += list->top;
		sight.count -= list->top;
	}
	sight.count = sight.count < page ? sight.count : page;
	resources_read(m->resources, m->timeline, m->now_ns, BUDGET_NS, in_sight, &sight);
	host_note_hooks(&m->host, m->now_ns, program_time(d));
	host_read(&m->host, m->now_ns, model_events(m));
	free(rows.items);
}

/* ---- signals ---- */

/* proc(5), stat: field 22, in clock ticks since boot. The pid may long be another process's. */
static bool is_still(uint32_t pid, uint64_t start_ns)
{
	char path[64];
	_cleanup_free_ char *stat = NULL;
	const char *at;
	unsigned long long ticks = 0;
	long long wanted = (long long)(start_ns / (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK)));

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	stat = file_read(path, 4096, NULL);
	at = stat ? strrchr(stat, ')') : NULL;
	if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		&ticks) != 1)
		return false;
	return llabs((long long)ticks - wanted) <= 1;
}

void dashboard_signal(struct dashboard *d)
{
	const struct container *c = ui_container(&d->ui, &d->model);
	int number = d->ui.want_signal;
	_cleanup_close_ int fd = -1;

	d->ui.want_signal = 0;
	if (!c || !c->pid || c->state == STATE_EXITED)
		return;
	fd = pidfd_open((pid_t)c->pid, 0);
	if (fd < 0 || !is_still(c->pid, c->init_start_ns))
		ui_say(&d->ui, true, "process %u has ended", c->pid);
	else if (pidfd_send_signal(fd, number, NULL, 0) < 0)
		ui_say(&d->ui, true, "cannot send the signal: %s", strerror(errno));
	else
		ui_say(&d->ui, false, "%s was sent to process %u", number == SIGKILL ? "SIGKILL" : "SIGTERM", c->pid);
}

/* ---- without a terminal ---- */

static size_t batch_columns(const struct dashboard_options *o)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long n;

	if (o->width)
		return o->width;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	n = columns ? strtoul(columns, NULL, 10) : 0;
	return n >= 20 && n <= SCREEN_COLUMNS_MAX ? n : BATCH_COLUMNS;
}

static int print_screen(struct dashboard *d, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };

	if (d->o->json) {
		export_json(&d->ui, &d->model, &text);
	} else {
		struct screen *s = ui_draw_whole(&d->ui, &d->model, batch_columns(d->o));

		screen_text(s, true, &text);
		if (d->o->screens != 1)
			strbuf_putc(&text, '\n');
		screen_free(s);
	}
	if (fwrite(text.text ? text.text : "", 1, text.length, stdout) != text.length || fflush(stdout) != 0)
		return error_errno(err, errno ? errno : EIO, "cannot write the output");
	return 0;
}

static int choose_container(struct dashboard *d, struct error *err)
{
	const struct container *c = d->o->id ? timeline_find(d->model.timeline, d->o->id) : NULL;

	if (c)
		ui_choose(&d->ui, c);
	else if (d->o->id)
		return error_set(err, ENOENT, "no container %s is here", d->o->id);
	return 0;
}

static int batch_recording(struct dashboard *d, struct error *err)
{
	int r;

	while (player_step(d->player, &d->model, 0))
		;
	r = choose_container(d, err);
	if (r >= 0)
		r = print_screen(d, err);
	if (r >= 0 && d->model.problem[0])
		return error_set(err, EBADMSG, "%s", d->model.problem);
	return r;
}

/* Reads events for a while. 1 = a signal says stop. */
static int wait_and_read(struct dashboard *d, int signals, uint64_t length_ns, struct error *err)
{
	uint64_t end = dashboard_clock() + length_ns;
	struct pollfd fds[2] = { { .fd = source_fd(d->source), .events = POLLIN }, { .fd = signals, .events = POLLIN } };

	for (uint64_t now = dashboard_clock(); now < end; now = dashboard_clock()) {
		int r;

		if (poll(fds, 2, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot wait for events");
		if (fds[1].revents)
			return 1;
		if (d->source_ended)
			return error_set(err, ENOTCONN, "%s", d->model.problem);
		r = dashboard_read(d, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int batch_live(struct dashboard *d, int signals, struct error *err)
{
	int r = wait_and_read(d, signals, 100000000, err); /* what is there already: the snapshot */

	if (r == 0)
		r = choose_container(d, err);
	dashboard_sample(d); /* rates need two readings */
	for (unsigned long n = 0; r == 0 && (!d->o->screens || n < d->o->screens); n++) {
		r = wait_and_read(d, signals, (uint64_t)(d->o->delay_s * 1e9), err);
		dashboard_sample(d);
		if (r == 0)
			r = print_screen(d, err);
	}
	return r < 0 ? r : 0;
}

int dashboard_batch(struct dashboard *d, struct error *err)
{
	_cleanup_close_ int signals = -1;
	sigset_t set;

	if (d->player)
		return batch_recording(d, err);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return batch_live(d, signals, err);
}

/* A person may send signals to containers of other users, and write a view into a directory of theirs. */
int dashboard_give_up_privilege(const struct dashboard *d, struct error *err)
{
	uint64_t acting = d->o->batch || d->o->readonly ? 0 : PRIVILEGE(CAP_KILL) | PRIVILEGE(CAP_DAC_OVERRIDE);

	if (!d->source || !source_capture(d->source))
		return privilege_keep(acting, 0, err);
	return privilege_keep(PRIVILEGE_TRACING | acting, PRIVILEGE_LISTENING, err);
}

int dashboard_run(const struct dashboard_options *options, struct error *err)
{
	struct dashboard d = { .o = options };
	int r = dashboard_open(&d, err);

	if (r >= 0 && !options->program) /* which is started first: it needs all that we have */
		r = dashboard_give_up_privilege(&d, err);
	if (r >= 0)
		r = options->batch ? dashboard_batch(&d, err) : dashboard_interactive(&d, err);
	dashboard_close(&d);
	return r;
}
