/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and clicks on the dashboard, below curses: the model is made of a short story (world.h), the first bytes choose
 * the screen, the rest are keys, clicks and the wheel, new events and new sizes. What must hold after each: every cell
 * holds one character of one or two columns and no control byte; lists lie on the screen, texts end; a
 * message is printable; the same keys make the same screen. Files are not written: Enter at that prompt is Escape.
 */
#include "fuzz/fuzz.h"

#include <locale.h>

#include "fuzz/world.h"
#include "tui/ui.h"
#include "tui/view.h"
#include "util/cleanup.h"

enum { KEYS_MAX = 64, ROWS_MAX = 60, COLUMNS_MAX = 200 };

/* Bytes of the input from 0xc0 on that are no characters. */
enum { BYTE_KEY = 0xc0, BYTE_KEY_LAST = BYTE_KEY + 24, BYTE_CLICK, BYTE_DOUBLE_CLICK, BYTE_WHEEL_UP, BYTE_WHEEL_DOWN, BYTE_SIZE,
	BYTE_STORY };

struct session {
	struct model model;
	struct ui ui;
	struct world world;
	struct screen *screen;
	size_t told; /* bytes of the story that were told */
};

static void feed(void *arg, const struct event *event)
{
	model_feed(arg, event);
}

/* Another piece of the story; from its beginning again when it is over. */
static void tell(struct session *s, size_t steps)
{
	size_t size = steps * sizeof(struct world_step);

	if (s->told >= world_story_size)
		s->told = 0;
	if (size > world_story_size - s->told)
		size = world_story_size - s->told;
	world_play(&s->world, (const uint8_t *)world_story + s->told, size);
	s->told += size;
	if (!s->model.playback.is_recording)
		s->model.now_ns = s->world.now_ns;
}

static void check_cells(const struct screen *s)
{
	for (size_t i = 0; i < s->rows * s->columns; i++) {
		const struct cell *c = &s->cells[i];

		require(c->width <= 2 && memchr(c->text, '\0', sizeof(c->text)));
		require(c->width || (i % s->columns && s->cells[i - 1].width == 2));
		require(c->width < 2 || i % s->columns + 1 < s->columns);
		require((c->style & ~STYLE_SELECTED) < STYLE_COUNT);
		for (const char *p = c->text; *p; p++) {
			require((unsigned char)*p >= 0x20 && *p != 0x7f);
			require(s->utf8 || (unsigned char)*p < 0x7f);
		}
	}
}

static void check_text(const char *text, size_t size)
{
	require(memchr(text, '\0', size) != NULL);
}

static void check_state(const struct ui *ui)
{
	require(ui->view < VIEW_COUNT);
	check_text(ui->input, sizeof(ui->input));
	check_text(ui->find, sizeof(ui->find));
	check_text(ui->filter, sizeof(ui->filter));
	check_text(ui->message, sizeof(ui->message));
	for (const char *p = ui->message; *p; p++)
		require((unsigned char)*p >= 0x20 && *p != 0x7f);
	require(ui->containers.sort < containers_column_count() && ui->menu.cursor <= containers_column_count());
	require(ui->timeline.unfolded_count <= UI_FOLDS);
	require(!ui->timeline.to_ns || ui->timeline.from_ns < ui->timeline.to_ns);
	require(ui->want_signal == 0 || ui->want_signal == 15 || ui->want_signal == 9);
	require(!ui->want_signal || !ui->readonly);
}

/* Of the view that is drawn: the others' are as they were last drawn. */
static void check_list(const struct session *s)
{
	const struct list *lists[VIEW_COUNT] = { &s->ui.containers.list, &s->ui.timeline.list, &s->ui.events.list, &s->ui.limits,
		&s->ui.host };
	const struct list *list = lists[s->ui.view];

	if (s->ui.help || s->ui.sort_menu || s->screen->rows < 4)
		return;
	require(list->page <= s->screen->rows && list->origin <= s->screen->rows);
}

static void draw(struct session *s)
{
	screen_clear(s->screen);
	ui_draw(&s->ui, &s->model, s->screen);
	check_cells(s->screen);
	check_state(&s->ui);
	check_list(s);
}

/* What the loop does for the user. */
static void serve_wishes(struct session *s)
{
	s->ui.want_signal = 0;
	s->ui.want_seek = 0;
	s->ui.want_toggle = false;
	s->ui.quit = s->ui.redraw = false;
}

static void resize(struct session *s, uint8_t rows, uint8_t columns)
{
	bool utf8 = s->screen->utf8;

	screen_free(s->screen);
	s->screen = screen_new(rows % (ROWS_MAX + 1), columns % (COLUMNS_MAX + 1), utf8);
}

static void press(struct session *s, int key)
{
	bool finishes = key == TKEY_ENTER || key == '\n';

	ui_key(&s->ui, &s->model, s->ui.prompt == PROMPT_EXPORT && finishes ? TKEY_ESCAPE : key);
}

/* Returns how many bytes it took. */
static size_t act(struct session *s, const uint8_t *data, size_t size)
{
	uint8_t a = size > 1 ? data[1] : 0, b = size > 2 ? data[2] : 0;

	switch (data[0]) {
	case BYTE_KEY ... BYTE_KEY_LAST: press(s, TKEY_UP + data[0] - BYTE_KEY); return 1;
	case BYTE_CLICK: ui_mouse(&s->ui, &s->model, a, b, false, 0); return 3;
	case BYTE_DOUBLE_CLICK: ui_mouse(&s->ui, &s->model, a, b, true, 0); return 3;
	case BYTE_WHEEL_UP: ui_mouse(&s->ui, &s->model, a, b, false, -1); return 3;
	case BYTE_WHEEL_DOWN: ui_mouse(&s->ui, &s->model, a, b, false, 1); return 3;
	case BYTE_SIZE: resize(s, a, b); return 3;
	case BYTE_STORY: tell(s, a % 16); return 2;
	default: press(s, data[0]); return 1;
	}
}

static const struct facts facts = { .hostname = "host", .kernel = "6.1", .cgroup_mode = "v1", .cpus = 2, .start_ns = 1000000000,
	.wall_offset_ns = 1700000000000000000, .timeline = { .cgroup_hierarchy = 1, .root_pid_ns = 1, .root_mnt_ns = 1,
		.root_net_ns = 1, .page_size = 4096, .hierarchy_count = 2, .hierarchies = { { 1, "memory" }, { 2, "pids" } } } };

static void replay(const uint8_t *data, size_t size, struct strbuf *sb)
{
	struct session *s = calloc(1, sizeof(*s));
	bool is_recording = data[0] & 1, utf8 = data[0] & 2;
	size_t at = 3;

	model_init(&s->model, &facts, is_recording);
	ui_init(&s->ui, utf8, is_recording);
	s->ui.readonly = data[0] & 4;
	world_init(&s->world, feed, &s->model);
	s->screen = screen_new(data[1] % (ROWS_MAX + 1), data[2] % (COLUMNS_MAX + 1), utf8);
	tell(s, 1000);
	draw(s);
	for (int i = 0; i < KEYS_MAX && at < size; i++) {
		at += act(s, data + at, size - at);
		draw(s);
		serve_wishes(s);
	}
	screen_text(s->screen, false, sb);
	screen_free(s->screen);
	ui_free(&s->ui);
	model_free(&s->model);
	free(s);
}

void fuzz_tui(const uint8_t *data, size_t size)
{
	static bool prepared;
	_cleanup_(strbuf_free) struct strbuf first = { 0 }, again = { 0 };

	if (!prepared) /* widths of characters are the locale's; times are not those of a place */
		prepared = setlocale(LC_CTYPE, "C.UTF-8") && setenv("TZ", "UTC", 1) == 0;
	if (size < 3)
		return;
	replay(data, size, &first);
	if (!(data[0] & 8)) /* it takes as long again */
		return;
	replay(data, size, &again);
	require(first.length == again.length && (!first.length || !memcmp(first.text, again.text, first.length)));
}

FUZZ_TARGET(fuzz_tui)
