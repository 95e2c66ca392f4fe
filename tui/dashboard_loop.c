/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard on a terminal: one loop over keys, signals, events and time. */
#include "tui/dashboard_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "exporters/waterfall.h"
#include "tui/panes.h"
#include "tui/terminal.h"
#include "util/cleanup.h"

#define FRAME_NS 100000000ULL /* at most ten screens a second */
#define GUEST_FRAME_NS 20000000ULL /* who types wants to see it at once */
#define DOUBLE_CLICK_NS 500000000ULL

enum { KEYS_AT_ONCE = 1024 }; /* then it is time to look whether a screen is due: megabytes may be pasted */

struct loop {
	struct dashboard *d;
	int epoll, signals, timer;
	bool dirty;  /* something changed since the last screen */
	bool behind; /* a recording has a way to go */
	bool unread; /* there may be keys that no descriptor tells of: read, but not taken */
	bool stop;
	int signal; /* that ended it */
	uint64_t drawn_ns, sampled_ns, played_ns;
	uint64_t clicked_ns;
	size_t clicked_row;
	struct screen *screen;
	/* of a dashboard with a program: */
	struct panes panes;
	bool printed;  /* the program has, since the last screen */
	bool watches_write;
	uint64_t dashboard_drawn_ns;
};

/* ---- setting up ---- */

static int watch(struct loop *l, int fd, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_errno(err, errno, "cannot wait for descriptor %d", fd);
	return 0;
}

static int watch_signals(struct loop *l, struct error *err)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signals < 0)
		return error_errno(err, errno, "cannot watch for signals");
	return watch(l, l->signals, err);
}

static int open_loop(struct loop *l, struct error *err)
{
	int r;

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0)
		return error_errno(err, errno, "cannot wait for events");
	r = watch_signals(l, err);
	if (r >= 0)
		r = watch(l, l->timer, err);
	if (r >= 0)
		r = watch(l, STDIN_FILENO, err);
	if (r >= 0 && l->d->source)
		r = watch(l, source_fd(l->d->source), err);
	return r;
}

/* ---- what happens ---- */

/* Whoever asked it to end does not want to look at it; and where no container was made, there is nothing to see. */
static void take_end(struct loop *l)
{
	struct panes *p = &l->panes;

	if (!p->guest || p->ended || !guest_ended(p->guest, &p->code))
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, guest_fd(p->guest), NULL);
	p->ended = p->on_timeline = true;
	l->dirty = true;
	l->stop |= l->signal || p->left || !timeline_find(l->d->model.timeline, l->d->o->program->id);
}

/* The descriptor is readable for ever when the last process has closed the terminal: SIGCHLD tells the rest. */
static void take_guest(struct loop *l, uint32_t events)
{
	struct guest *c = l->panes.guest;

	if (events & EPOLLOUT)
		guest_write(c);
	if (events & ~(uint32_t)EPOLLOUT && !guest_read(c))
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, guest_fd(c), NULL);
	l->printed = true;
}

static void take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT) { /* who is stopped is not told of another size */
			terminal_resize();
			l->dirty = true;
			continue;
		}
		if (info.ssi_signo == SIGCHLD) {
			take_end(l);
			continue;
		}
		l->signal = (int)info.ssi_signo;
		if (l->panes.guest && !l->panes.ended)
			guest_signal(l->panes.guest, l->signal); /* it ends, and so do we */
		else
			l->stop = true;
	}
}

static void take_click(struct loop *l, const struct terminal_input *in)
{
	uint64_t now = dashboard_clock();
	bool twice = in->double_click || (in->row == l->clicked_row && now - l->clicked_ns < DOUBLE_CLICK_NS);

	if (!in->wheel && !in->click && !in->double_click)
		return;
	l->clicked_ns = in->click ? now : 0;
	l->clicked_row = in->row;
	if (l->panes.guest)
		panes_click(&l->panes, &l->d->ui, &l->d->model, in->row, in->column, twice, in->wheel);
	else
		ui_mouse(&l->d->ui, &l->d->model, in->row, in->column, twice, in->wheel);
}

/* What only the loop can do for the user. */
static void do_wanted(struct loop *l)
{
	struct dashboard *d = l->d;
	struct ui *ui = &d->ui;

	if (d->player && ui->want_toggle)
		player_toggle(d->player, &d->model);
	if (d->player && ui->want_seek)
		player_seek(d->player, &d->model, ui->want_seek);
	if (ui->want_toggle || ui->want_seek) {
		l->behind = true;
		l->played_ns = dashboard_clock();
	}
	ui->want_toggle = false;
	ui->want_seek = 0;
	if (ui->want_signal)
		dashboard_signal(d);
	if (!ui->held && d->held.length)
		dashboard_release(d);
	if (ui->redraw) {
		terminal_redraw();
		ui->redraw = false;
	}
	l->stop |= ui->quit;
}

static void take_input(struct loop *l)
{
	struct terminal_input in;
	bool mouse = l->d->ui.mouse, any = false;
	int waiting = 0, keys = 0;

	while (!l->stop && keys < KEYS_AT_ONCE && terminal_read(&in)) {
		any = true;
		keys++;
		if (in.key && l->panes.guest)
			panes_key(&l->panes, &l->d->ui, &l->d->model, in.key);
		else if (in.key)
			ui_key(&l->d->ui, &l->d->model, in.key);
		else
			take_click(l, &in);
		do_wanted(l);
	}
	if (l->d->ui.mouse != mouse)
		terminal_mouse(l->d->ui.mouse);
	l->dirty |= any;
	l->unread = keys == KEYS_AT_ONCE;
	/* readable and nothing to read: the terminal has gone */
	if (!any && (ioctl(STDIN_FILENO, FIONREAD, &waiting) < 0 || waiting == 0) && !isatty(STDIN_FILENO))
		l->stop = true;
}

static int take_events(struct loop *l, struct error *err)
{
	int r = dashboard_read(l->d, err);

	if (r > 0 && !l->d->ui.held)
		l->dirty = true;
	if (l->d->source_ended) { /* its descriptor would be readable for ever */
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, source_fd(l->d->source), NULL);
		l->dirty = true;
	}
	return r < 0 ? r : 0;
}

static void play_on(struct loop *l, uint64_t now)
{
	struct dashboard *d = l->d;
	struct playback *b = &d->model.playback;

	if (!d->player || (!b->playing && !l->behind))
		return;
	l->behind = player_step(d->player, &d->model, now - l->played_ns);
	l->played_ns = now;
	l->dirty = true;
}

/* ---- time ---- */

/* Its container, as soon as there is one. */
static void choose_program(struct loop *l)
{
	const struct container *c = l->d->ui.chosen ? NULL : timeline_find(l->d->model.timeline, l->d->o->program->id);

	if (c)
		ui_choose(&l->d->ui, c);
}

/* The dashboard's part not more often than without a program. */
static void draw_panes(struct loop *l, uint64_t now)
{
	bool fresh = l->dirty && now - l->dashboard_drawn_ns >= FRAME_NS;
	size_t row = 0, column = SIZE_MAX;

	choose_program(l);
	panes_layout(&l->panes, l->screen->rows, l->screen->columns);
	panes_draw(&l->panes, &l->d->ui, &l->d->model, l->screen, fresh);
	terminal_show(l->screen);
	if (!panes_cursor(&l->panes, &row, &column))
		column = SIZE_MAX;
	terminal_cursor(row, column);
	l->printed = false;
	if (fresh) {
		l->dashboard_drawn_ns = now;
		l->dirty = false;
	}
}

static void draw(struct loop *l, uint64_t now)
{
	size_t rows, columns;

	terminal_size(&rows, &columns);
	if (!l->screen || l->screen->rows != rows || l->screen->columns != columns) {
		screen_free(l->screen);
		l->screen = screen_new(rows, columns, l->d->ui.utf8);
	}
	if (!l->d->player && !l->d->ui.held)
		l->d->model.now_ns = now;
	if (l->panes.guest) {
		draw_panes(l, now);
	} else {
		ui_draw(&l->d->ui, &l->d->model, l->screen);
		terminal_show(l->screen);
		l->dirty = false;
	}
	l->drawn_ns = now;
}

/* The timer goes off when the next thing is due that no descriptor tells of. */
static void set_timer(const struct loop *l, uint64_t now)
{
	const struct playback *b = &l->d->model.playback;
	uint64_t sample = l->sampled_ns + (uint64_t)(l->d->o->delay_s * 1e9);
	uint64_t next = l->d->source ? sample : now + 3600000000000ULL;
	uint64_t wait;
	struct itimerspec spec = { 0 };

	if ((l->dirty || b->playing) && l->drawn_ns + FRAME_NS < next)
		next = l->drawn_ns + FRAME_NS;
	if (l->printed && l->drawn_ns + GUEST_FRAME_NS < next)
		next = l->drawn_ns + GUEST_FRAME_NS;
	wait = next > now ? next - now : 1;
	spec.it_value.tv_sec = (time_t)(wait / 1000000000);
	spec.it_value.tv_nsec = (long)(wait % 1000000000);
	timerfd_settime(l->timer, 0, &spec, NULL);
}

/* Writable is of interest while something waits to be written. */
static void watch_guest(struct loop *l)
{
	bool waits = l->panes.guest && !l->panes.ended && guest_is_waiting(l->panes.guest);
	struct epoll_event event = { .events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN };

	if (waits == l->watches_write || !l->panes.guest)
		return;
	event.data.fd = guest_fd(l->panes.guest);
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, event.data.fd, &event);
	l->watches_write = waits;
}

static void on_time(struct loop *l)
{
	uint64_t now = dashboard_clock();

	if (l->d->source && now - l->sampled_ns >= (uint64_t)(l->d->o->delay_s * 1e9)) {
		dashboard_sample(l->d);
		l->sampled_ns = now;
		l->dirty |= !l->d->ui.held;
	}
	play_on(l, now);
	if ((l->dirty && now - l->drawn_ns >= FRAME_NS) || (l->printed && now - l->drawn_ns >= GUEST_FRAME_NS))
		draw(l, now);
	watch_guest(l);
	set_timer(l, now);
}

static int run(struct loop *l, struct error *err)
{
	int r = 0;

	l->played_ns = dashboard_clock();
	l->behind = l->d->player != NULL;
	l->dirty = true;
	while (!l->stop && r >= 0) {
		struct epoll_event events[4];
		int n;

		if (l->unread)
			take_input(l);
		on_time(l);
		n = epoll_wait(l->epoll, events, ARRAY_SIZE(events), l->behind || l->unread ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot wait for events");
		for (int i = 0; i < n && r >= 0; i++) {
			uint64_t ticks;

			if (events[i].data.fd == STDIN_FILENO && events[i].events & (EPOLLHUP | EPOLLERR))
				l->stop = true;
			else if (events[i].data.fd == STDIN_FILENO)
				take_input(l);
			else if (events[i].data.fd == l->signals)
				take_signals(l);
			else if (events[i].data.fd == l->timer)
				n = read(l->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN ? 0 : n;
			else if (l->panes.guest && events[i].data.fd == guest_fd(l->panes.guest))
				take_guest(l, events[i].events);
			else
				r = take_events(l, err);
		}
	}
	return r;
}

/* The container that --id names may not be there yet, in a recording that is still being read. */
static void choose_early(struct dashboard *d)
{
	const struct container *c;

	if (!d->o->id)
		return;
	while (d->player && d->o->play <= 0 && player_step(d->player, &d->model, 0))
		;
	c = timeline_find(d->model.timeline, d->o->id);
	if (c)
		ui_choose(&d->ui, c);
	else
		ui_say(&d->ui, true, "no container %s is here yet", d->o->id);
}

/* ---- a program beside the dashboard ---- */

static int start_program(struct loop *l, struct error *err)
{
	size_t rows, columns;
	int r;

	if (!l->d->o->program)
		return 0;
	terminal_take_all_keys();
	ui_set_view(&l->d->ui, VIEW_TIMELINE);
	l->d->ui.timeline.by_time = true; /* as it happens */
	terminal_size(&rows, &columns);
	r = guest_open(l->d->o->program->argv, 24, 80, &l->panes.guest, err);
	if (r < 0)
		return r;
	panes_layout(&l->panes, rows, columns); /* before the program looks */
	r = dashboard_give_up_privilege(l->d, err);
	return r < 0 ? r : watch(l, guest_fd(l->panes.guest), err);
}

/* What would be lost with our screen: the last that it printed, and how its container was made. */
static void print_last_words(struct loop *l, const struct dashboard_program *program)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_(strbuf_free) struct strbuf picture = { 0 };
	const struct container *c = timeline_find(l->d->model.timeline, program->id);
	struct waterfall_options options = { .detail = program->every_step ? WATERFALL_FULL : WATERFALL_SUMMARY };

	guest_text(l->panes.guest, &text);
	if (text.length > 1)
		fwrite(text.text, 1, text.length, c ? stdout : stderr);
	fflush(stdout);
	if (!c || !program->waterfall)
		return;
	waterfall_detect(&options, stderr, WATERFALL_COLOR_AUTO);
	waterfall_print(&picture, c, &options);
	fwrite(picture.text, 1, picture.length, stderr);
}

static void end_program(struct loop *l)
{
	struct dashboard_program *program = l->d->o->program;

	if (!l->panes.guest)
		return;
	if (l->panes.ended && !l->d->source_ended)
		dashboard_drain(l->d);
	program->code = l->panes.code;
	print_last_words(l, program);
	panes_free(&l->panes);
}

int dashboard_interactive(struct dashboard *d, struct error *err)
{
	struct loop l = { .d = d, .epoll = -1, .signals = -1, .timer = -1 };
	int fds[3], r = terminal_open(d->o->color, d->ui.mouse, err);

	if (r >= 0)
		r = open_loop(&l, err);
	if (r >= 0) {
		if (d->source)
			r = dashboard_read(d, err);
		choose_early(d);
		if (r >= 0)
			r = start_program(&l, err);
		r = r < 0 ? r : run(&l, err);
	}
	terminal_close();
	end_program(&l);
	screen_free(l.screen);
	memcpy(fds, (int[]){ l.epoll, l.signals, l.timer }, sizeof(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return r;
}
