/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard without a terminal: cells, lists, keys, rows of a timeline, and that no byte and no key breaks it. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exporters/format.h"
#include "tui/event_text.h"
#include "tui/timeline_rows.h"
#include "tui/view.h"
#include "unit/model_builder.h"
#include "util/cleanup.h"

/* ---- the screen ---- */

static char *text_of(const struct screen *s)
{
	struct strbuf sb = { 0 };

	screen_text(s, false, &sb);
	return strbuf_steal(&sb);
}

static void expect_row(const struct screen *s, size_t row, const char *wanted)
{
	_cleanup_free_ char *text = text_of(s);
	char *line = text;

	while (row--)
		line = strchr(line, '\n') + 1;
	*strchr(line, '\n') = '\0';
	assert_string_equal(line, wanted);
}

static void test_screen_cuts(void **state)
{
	struct screen *s = screen_new(3, 10, true);

	(void)state;
	assert_int_equal(screen_put(s, 0, 2, 5, STYLE_NORMAL, "abc"), 3);
	expect_row(s, 0, "  abc");
	assert_int_equal(screen_put(s, 1, 6, 100, STYLE_NORMAL, "abcdefgh"), 4);
	expect_row(s, 1, "      abc…");
	screen_put_right(s, 2, 0, 10, STYLE_NORMAL, "end");
	expect_row(s, 2, "       end");
	screen_put_middle(s, 2, 0, 9, STYLE_NORMAL, "parallel-run-42");
	expect_row(s, 2, "paral…-42d");
	/* outside of it nothing happens */
	assert_int_equal(screen_put(s, 3, 0, 5, STYLE_NORMAL, "x"), 0);
	assert_int_equal(screen_put(s, 0, 10, 5, STYLE_NORMAL, "x"), 0);
	screen_glyph(s, 7, 7, STYLE_NORMAL, "x");
	screen_restyle(s, 7, 0, 100, STYLE_SELECTED);
	screen_free(s);
}

static void test_screen_wide(void **state)
{
	struct screen *s = screen_new(1, 6, true);

	(void)state;
	screen_put(s, 0, 0, 6, STYLE_NORMAL, "漢字x");
	expect_row(s, 0, "漢字x");
	screen_put(s, 0, 1, 1, STYLE_NORMAL, "y"); /* the other half goes, too */
	expect_row(s, 0, " y字x");
	screen_put(s, 0, 0, 3, STYLE_NORMAL, "漢漢"); /* no half of one at the end */
	expect_row(s, 0, "漢… x");
	screen_clear(s);
	screen_put(s, 0, 0, 6, STYLE_NORMAL, "e\xcc\x81z"); /* what combines stays with its letter */
	expect_row(s, 0, "e\xcc\x81z");
	screen_free(s);
}

static void expect_clean(const struct screen *s)
{
	for (size_t i = 0; i < s->rows * s->columns; i++) {
		const struct cell *c = &s->cells[i];

		assert_true(c->width <= 2);
		for (const char *p = c->text; *p; p++) {
			unsigned char byte = (unsigned char)*p;

			if (byte < 0x20 || byte == 0x7f || (!s->utf8 && byte > 0x7e))
				fail_msg("byte %02x in row %zu", byte, i / s->columns);
		}
		assert_true(!c->text[0] || utf8_sequence(c->text, strlen(c->text)));
	}
}

static void test_screen_hostile(void **state)
{
	static const char *const texts[] = { "\033[2J\033]0;x\007", "a\nb\tc\rd", "\xff\xfe", "\xc2", "\x7f", "\xc2\x9b" "1m" };

	(void)state;
	for (size_t utf8 = 0; utf8 < 2; utf8++) {
		struct screen *s = screen_new(1, 20, utf8);

		for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
			screen_put(s, 0, 0, 20, STYLE_NORMAL, texts[i]);
			expect_clean(s);
		}
		screen_free(s);
	}
}

/* ---- lists and values ---- */

static void test_lists(void **state)
{
	struct list l = { .cursor = 50, .top = 3 };

	(void)state;
	list_clamp(&l, 10, 4);
	assert_int_equal(l.cursor, 9);
	assert_int_equal(l.top, 6);
	assert_true(list_act(&l, 10, ACT_FIRST));
	list_clamp(&l, 10, 4);
	assert_int_equal(l.top, 0);
	list_act(&l, 10, ACT_PAGE_DOWN);
	assert_int_equal(l.cursor, 3);
	list_act(&l, 10, ACT_UP);
	assert_int_equal(l.cursor, 2);
	assert_false(list_act(&l, 10, ACT_QUIT));
	list_act(&l, 0, ACT_LAST);
	list_clamp(&l, 0, 4);
	assert_int_equal(l.cursor, 0);
	l = (struct list){ .top = 5, .page = 4, .origin = 2 };
	assert_int_equal(list_at(&l, 8, 2), 5);
	assert_int_equal(list_at(&l, 8, 4), 7);
	assert_int_equal(list_at(&l, 8, 5), SIZE_MAX); /* there is no ninth */
	assert_int_equal(list_at(&l, 100, 6), SIZE_MAX);
	assert_int_equal(list_at(&l, 100, 1), SIZE_MAX);
}

static void test_values(void **state)
{
	char text[FORMAT_MAX];

	(void)state;
	assert_string_equal(compact_duration(text, 249000000, false), "249ms");
	assert_string_equal(compact_duration(text, 192000000000, false), "3m12s");
	assert_string_equal(compact_bytes(text, 1610612736), "1.5G");
	assert_string_equal(compact_bytes(text, 0), "0");
	assert_string_equal(compact_bytes(text, 1023), "1023");
	assert_string_equal(compact_bytes(text, -1), "-");
	assert_true(text_has("Docker Daemon", "rd") == false);
	assert_true(text_has("Docker Daemon", "DAEM"));
	assert_false(text_has(NULL, "x"));
}

static void test_limits_written(void **state)
{
	struct container *c = mb_container("limits");

	(void)state;
	assert_int_equal(container_memory_limit(c), -1);
	assert_true(container_cpu_limit(c) == 0);
	mb_limit(c, "memory.max", "max", 0);
	mb_limit(c, "cpu.max", "50000 100000", 0);
	mb_limit(c, "pids.max", "20", 0);
	assert_int_equal(container_memory_limit(c), -1);
	assert_true(container_cpu_limit(c) == 0.5);
	assert_int_equal(container_pids_limit(c), 20);
	mb_limit(c, "memory.limit_in_bytes", "1048576", 0);
	assert_int_equal(container_memory_limit(c), 1048576);
	mb_free(c);
}

static void test_binding_limit(void **state)
{
	struct resource r = { .level_counts = { 3, 2 }, .levels = { { { "/a/b/c", 100, -1 }, { "/a/b", 900, 1000 }, { "/a", 1000, 5000 } },
		{ { "/x/y", 290, -1 }, { "/x", 299, 300 } } } };

	(void)state;
	assert_string_equal(resource_binding(&r, RESOURCE_MEMORY)->path, "/a/b"); /* a parent's */
	r.levels[RESOURCE_MEMORY][0].limit = 150;
	assert_string_equal(resource_binding(&r, RESOURCE_MEMORY)->path, "/a/b/c");
	r.level_counts[RESOURCE_MEMORY] = 0;
	assert_null(resource_binding(&r, RESOURCE_MEMORY));
	assert_string_equal(resource_binding(&r, RESOURCE_CPU)->path, "/x");
	assert_null(resource_binding(&r, RESOURCE_PIDS));
}

/* ---- keys ---- */

static void test_keys(void **state)
{
	struct key_context context = { 0 };

	(void)state;
	/* every binding can be reached by each of its keys, in each view that it has and where it holds */
	for (size_t bits = 0; bits < 8 * VIEW_COUNT; bits++) {
		context = (struct key_context){ (enum view)(bits / 8), bits & 1, bits & 2, bits & 4 };
		for (size_t i = 0; i < key_binding_count; i++) {
			const struct binding *b = &key_bindings[i];

			assert_true(b->keys[0] && *b->name && *b->what);
			if (!binding_holds(b, &context))
				continue;
			for (size_t k = 0; k < 4 && b->keys[k]; k++) {
				enum action got = keys_action(b->keys[k], &context);

				/* n is the one key with two meanings */
				if (got != b->action && b->keys[k] != 'n')
					fail_msg("key %d of \"%s\" does something else in view %zu", b->keys[k], b->what, bits / 8);
			}
		}
		assert_int_equal(keys_action('q', &context), ACT_QUIT);
		assert_int_equal(keys_action(TKEY_F1, &context), ACT_HELP);
	}
	context = (struct key_context){ .view = VIEW_TIMELINE };
	assert_int_equal(keys_action('n', &context), ACT_NEXT_SLOW);
	context.finding = true;
	assert_int_equal(keys_action('n', &context), ACT_FIND_NEXT);
	context = (struct key_context){ .view = VIEW_CONTAINERS, .readonly = true };
	assert_int_equal(keys_action(TKEY_F9, &context), ACT_NONE);
	assert_int_equal(keys_action('x', &context), ACT_NONE);
	assert_int_equal(keys_action('[', &context), ACT_NONE); /* live: nowhere to go back to */
}

/* ---- the rows of a timeline ---- */

static void test_critical_path(void **state)
{
	struct container *c = mb_container("path");
	uint64_t waited[5];
	int a = mb_actor(c, ACTOR_RUNTIME, 1, "runc", -1, 0, 0);

	(void)state;
	mb_step(c, STEP_REQUEST, PHASE_REQUEST, a, 0, 90, NULL);  /* waits for the others */
	mb_step(c, STEP_MOUNT, PHASE_ROOTFS, a, 10, 20, NULL);    /* until 30 */
	mb_step(c, STEP_CLONE, PHASE_NAMESPACES, a, 15, 10, NULL); /* beside it, done before: nobody waited */
	mb_step(c, STEP_MOUNT, PHASE_MOUNTS, a, 50, 40, NULL);    /* 20 of nothing before it */
	mb_step(c, STEP_EXEC, PHASE_EXEC, a, 95, 5, NULL);
	c->first_ns = MB_NS(0);
	c->started_ns = c->last_ns = MB_NS(100);
	critical_path(c, waited);
	assert_int_equal(waited[0], 0);
	assert_int_equal(waited[1], 30000);
	assert_int_equal(waited[2], 0);
	assert_int_equal(waited[3], 60000);
	assert_int_equal(waited[4], 10000);
	c->existed = true; /* there is no start that could have waited */
	critical_path(c, waited);
	assert_int_equal(waited[3], 0);
	mb_free(c);
}

static size_t count_kind(const struct timeline_rows *rows, enum row_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++)
		count += rows->items[i].kind == kind;
	return count;
}

static uint64_t row_length(const struct timeline_row *row)
{
	return row->end_ns - row->start_ns;
}

static void test_rows(void **state)
{
	struct container *c = mb_docker_run(1000);
	struct timeline_state view = { 0 };
	struct timeline_rows rows;
	const struct timeline_row *before = NULL;
	size_t folded;

	(void)state;
	timeline_rows_make(&rows, c, &view);
	assert_int_equal(rows.items[0].kind, ROW_TOTAL);
	assert_int_equal(count_kind(&rows, ROW_PHASE), c->phase_count);
	assert_int_equal(count_kind(&rows, ROW_STEP), 0);
	assert_true(count_kind(&rows, ROW_ACTOR) > 3);
	for (size_t i = 0; i < rows.count; i++) { /* the slowest of the start first */
		const struct timeline_row *row = &rows.items[i];

		if (row->kind != ROW_PHASE || c->phases[row->index].phase > PHASE_EXEC)
			continue;
		assert_true(!before || row_length(before) >= row_length(row));
		before = row;
	}
	folded = rows.count;
	/* every step can be shown, and then it is the row that was asked for */
	for (size_t step = 0; step < c->step_count; step++) {
		size_t at = timeline_rows_show_step(&rows, &view, step);

		assert_true(at < rows.count);
		assert_int_equal(rows.items[at].kind, ROW_STEP);
		assert_int_equal(rows.items[at].index, step);
	}
	assert_true(rows.count > folded + c->step_count / 2);
	timeline_rows_free(&rows);
	free(view.unfolded);
	mb_free(c);
}

static void test_runs(void **state)
{
	struct container *c = mb_container("runs");
	struct timeline_state view = { 0 };
	struct timeline_rows rows;
	int a = mb_actor(c, ACTOR_RUNTIME, 1, "runc", -1, 0, 0);

	(void)state;
	for (size_t i = 0; i < 17; i++)
		mb_step(c, STEP_MOUNT, PHASE_MOUNTS, a, 10.0 + (double)i, 0.5, "target", "/x", NULL);
	mb_step(c, STEP_MOUNT, PHASE_MOUNTS, a, 40, 500, NULL); /* not tiny: a row of its own */
	c->first_ns = MB_NS(0);
	c->started_ns = c->last_ns = MB_NS(1000);
	mb_settle(c);
	timeline_rows_make(&rows, c, &view);
	for (size_t i = 0; i < rows.count; i++)
		timeline_fold(&view, rows.items[i].key, rows.items[i].kind == ROW_PHASE);
	timeline_rows_free(&rows);
	timeline_rows_make(&rows, c, &view);
	assert_int_equal(count_kind(&rows, ROW_RUN), 1);
	assert_int_equal(count_kind(&rows, ROW_STEP), 1);
	for (size_t i = 0; i < rows.count; i++) {
		if (rows.items[i].kind == ROW_RUN)
			assert_int_equal(rows.items[i].count, 17);
	}
	timeline_rows_free(&rows);
	free(view.unfolded);
	mb_free(c);
}

/* ---- the log of events ---- */

static struct event make_event(uint16_t kind, uint32_t tid, uint64_t time_ns)
{
	return (struct event){ .size = sizeof(struct event), .kind = kind, .tgid = tid, .tid = tid, .time_ns = time_ns };
}

static void test_log(void **state)
{
	struct event_syscall_enter enter = { .h = make_event(EVENT_SYSCALL_ENTER, 7, 1000), .op = OP_MOUNT };
	struct event_syscall_exit leave = { .h = make_event(EVENT_SYSCALL_EXIT, 7, 3500), .op = OP_MOUNT, .result = -2 };
	struct event other = make_event(EVENT_CGROUP_RELEASE, 8, 2000), tick = make_event(EVENT_TICK, 0, 2000);
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	struct timeline_config config = { 0 };
	struct event_log log;

	(void)state;
	enter.h.size = offsetof(struct event_syscall_enter, a) + 8;
	strcpy(enter.a, "proc");
	leave.h.size = offsetof(struct event_syscall_exit, result) + sizeof(leave.result);
	event_log_init(&log);
	event_log_add(&log, &enter.h);
	event_log_add(&log, &other);
	event_log_add(&log, &tick);
	event_log_add(&log, &leave.h);
	assert_int_equal(log.next, 2); /* the end joined its start */
	assert_true(event_log_get(&log, 0)->has_result);
	assert_int_equal(event_log_get(&log, 0)->duration_ns, 2500);
	assert_true(event_is_bad(event_log_get(&log, 0)));
	event_text(&sb, event_log_get(&log, 0), &config, false);
	assert_string_equal(sb.text, "from proc = ENOENT (2.50 us)");
	event_log_add(&log, &leave.h); /* another end without a start stands alone */
	assert_int_equal(log.next, 3);
	for (size_t i = 0; i < 2 * LOG_EVENTS; i++)
		event_log_add(&log, &other);
	assert_int_equal(log.next - log.first, LOG_EVENTS);
	assert_null(event_log_get(&log, 0));
	event_log_free(&log);
}

static bool shows(struct ui *ui, struct model *m, struct screen *s, const char *wanted)
{
	_cleanup_free_ char *text = NULL;

	ui_draw(ui, m, s);
	text = text_of(s);
	return strstr(text, wanted) != NULL;
}

/* Calls that do not end push out those whose ends are awaited: that is counted, and shown. */
static void test_log_bounds(void **state)
{
	struct event_syscall_enter enter = { .h = make_event(EVENT_SYSCALL_ENTER, 0, 1000), .op = OP_MOUNT };
	struct event_syscall_exit leave = { .h = make_event(EVENT_SYSCALL_EXIT, 0, 3500), .op = OP_MOUNT };
	struct event other = make_event(EVENT_CGROUP_RELEASE, 8, 2000);
	struct screen *s = screen_new(24, 120, true);
	struct facts facts = { .start_ns = 1000, .cpus = 2 };
	struct model m;
	struct ui ui;

	(void)state;
	model_init(&m, &facts, true);
	enter.h.size = offsetof(struct event_syscall_enter, a) + 8;
	leave.h.size = offsetof(struct event_syscall_exit, result) + sizeof(leave.result);
	for (uint32_t i = 1; i <= 3 * LOG_CALLS; i++) { /* killed, each in its call */
		struct event gone = make_event(EVENT_EXIT, i, 2000);

		enter.h.tid = i;
		event_log_add(&m.log, &enter.h);
		event_log_add(&m.log, &gone);
	}
	for (uint32_t i = 1; i <= LOG_CALLS; i++) {
		enter.h.tid = i;
		event_log_add(&m.log, &enter.h);
	}
	event_log_add(&m.log, &enter.h); /* the same thread's next one */
	assert_int_equal(m.log.ends_forgotten, 0);
	enter.h.tid = LOG_CALLS + 1;
	event_log_add(&m.log, &enter.h);
	assert_int_equal(m.log.ends_forgotten, LOG_CALLS);
	leave.h.tid = LOG_CALLS + 1;
	event_log_add(&m.log, &leave.h);
	assert_true(event_log_get(&m.log, m.log.next - 1)->has_result);
	ui_init(&ui, true, true);
	ui_set_view(&ui, VIEW_EVENTS);
	assert_true(shows(&ui, &m, s, "4096 results lost"));
	assert_false(shows(&ui, &m, s, "older forgotten"));
	while (m.log.next < LOG_EVENTS + 5)
		event_log_add(&m.log, &other);
	assert_true(shows(&ui, &m, s, "5 older forgotten, 4096 results lost"));
	ui_free(&ui);
	model_free(&m);
	screen_free(s);
}

/* ---- all of it, under all keys ---- */

static void feed_meta(struct model *m, const char *id, const char *key, const char *value)
{
	struct event_meta e = { .h = make_event(EVENT_META, 0, m->now_ns + 1) };
	int n = snprintf(e.text, sizeof(e.text), "%s%c%s", key, 0, value);

	snprintf(e.id, sizeof(e.id), "%s", id);
	e.h.size = (uint16_t)(offsetof(struct event_meta, text) + (size_t)n + 1);
	model_feed(m, &e.h);
}

static void make_model(struct model *m, struct facts *facts)
{
	static const char *const hostile[] = { "\033[31mred\033[0m", "new\nline", "\xff\xfe\x80", "漢字漢字漢字漢字", "" };
	struct event_exec exec = { .h = make_event(EVENT_EXEC, 100, 5000) };

	*facts = (struct facts){ .start_ns = 1000, .cpus = 2 };
	strcpy(facts->hostname, "ev\033il");
	model_init(m, facts, true);
	for (size_t i = 0; i < 5; i++) {
		char id[24];
		uint32_t pid = (uint32_t)(200 + i);
		char argv[] = "/usr/bin/runc\0run\0--bundle\0/b\0hostile-0";
		struct event_fork fork = { .h = make_event(EVENT_FORK, 100, 6000 + i), .child_tgid = pid,
			.child_start_ns = 6000 + i };

		snprintf(id, sizeof(id), "hostile-%zu", i);
		fork.h.size = sizeof(fork);
		model_feed(m, &fork.h);
		exec.h = make_event(EVENT_EXEC, pid, 7000 + i * 100);
		exec.h.start_ns = 6000 + i;
		exec.h.role = ROLE_RUNTIME;
		strcpy(exec.h.comm, "runc");
		strcpy(exec.filename, "/usr/bin/runc");
		argv[sizeof(argv) - 2] = (char)('0' + i);
		memcpy(exec.argv, argv, sizeof(argv));
		exec.argv_length = exec.argv_total = sizeof(argv);
		exec.h.size = (uint16_t)(offsetof(struct event_exec, argv) + sizeof(argv));
		model_feed(m, &exec.h);
		feed_meta(m, id, "name", hostile[i]);
		feed_meta(m, id, "image", hostile[4 - i]);
	}
	m->now_ns = 2000000000;
}

static void test_hostile_names(void **state)
{
	struct facts facts;
	struct model m;
	struct ui ui;

	(void)state;
	make_model(&m, &facts);
	assert_int_equal(timeline_count(m.timeline), 5);
	for (size_t utf8 = 0; utf8 < 2; utf8++) {
		ui_init(&ui, utf8, true);
		for (size_t view = 0; view < VIEW_COUNT; view++) {
			struct screen *s = screen_new(24, 80, utf8);

			ui_set_view(&ui, (enum view)view);
			ui_draw(&ui, &m, s);
			expect_clean(s);
			screen_free(s);
			s = ui_draw_whole(&ui, &m, 120);
			expect_clean(s);
			screen_free(s);
		}
		ui_free(&ui);
	}
	model_free(&m);
}

static void test_any_keys(void **state)
{
	static const size_t sizes[][2] = { { 24, 80 }, { 10, 40 }, { 1, 1 }, { 2, 3 }, { 6, 20 }, { 40, 120 }, { 7, 400 } };
	struct facts facts;
	struct model m;
	struct ui ui;
	uint32_t random = 12345;

	(void)state;
	make_model(&m, &facts);
	ui_init(&ui, true, true);
	for (size_t i = 0; i < 20000; i++) {
		int key;

		random = random * 1103515245 + 12345;
		key = (random >> 16) % 4 ? 32 + (int)((random >> 16) % 96) : TKEY_UP + (int)((random >> 18) % 24);
		if (key == 'x' || (ui.prompt == PROMPT_EXPORT && key != TKEY_ESCAPE)) /* writes files */
			key = TKEY_ESCAPE;
		ui_key(&ui, &m, (random >> 20) % 16 ? key : (random >> 20) % 32 ? '\r' : TKEY_ESCAPE);
		if (i % 16 == 0) {
			const size_t *size = sizes[(random >> 16) % ARRAY_SIZE(sizes)];
			struct screen *s = screen_new(size[0], size[1], true);

			ui_draw(&ui, &m, s);
			expect_clean(s);
			ui_mouse(&ui, &m, (random >> 8) % 30, (random >> 13) % 100, random >> 31, (int)((random >> 5) % 3) - 1);
			screen_free(s);
		}
	}
	ui_free(&ui);
	model_free(&m);
}

static void test_filter(void **state)
{
	struct container_rows rows;
	struct facts facts;
	struct model m;
	struct ui ui;
	char why[UI_TEXT] = "";

	(void)state;
	make_model(&m, &facts);
	ui_init(&ui, true, true);
	assert_false(ui_set_filter(&ui, "nonsense~1", why, sizeof(why)));
	assert_non_null(strstr(why, "nonsense"));
	assert_true(ui_set_filter(&ui, "id~hostile-3", why, sizeof(why)));
	rows = containers_rows(&ui, &m);
	assert_int_equal(rows.count, 1);
	assert_string_equal(rows.items[0]->id, "hostile-3");
	free(rows.items);
	ui_key(&ui, &m, TKEY_ESCAPE); /* ends it */
	rows = containers_rows(&ui, &m);
	assert_int_equal(rows.count, 5);
	free(rows.items);
	ui_free(&ui);
	model_free(&m);
}

/* The cursor stays on its container when the order changes, and the views agree on which one it is. */
static void test_choice(void **state)
{
	struct screen *s = screen_new(24, 80, true);
	struct facts facts;
	struct model m;
	struct ui ui;

	(void)state;
	make_model(&m, &facts);
	ui_init(&ui, true, true);
	ui_draw(&ui, &m, s);
	ui_key(&ui, &m, 'j');
	ui_key(&ui, &m, 'j');
	_cleanup_free_ char *id = xstrdup(ui_container(&ui, &m)->id);

	ui_key(&ui, &m, 'I');
	ui_draw(&ui, &m, s);
	assert_string_equal(ui_container(&ui, &m)->id, id);
	ui_key(&ui, &m, '\r');
	assert_int_equal(ui.view, VIEW_TIMELINE);
	ui_key(&ui, &m, 'J');
	assert_string_not_equal(ui_container(&ui, &m)->id, id);
	ui_key(&ui, &m, 'K');
	assert_string_equal(ui_container(&ui, &m)->id, id);
	ui_key(&ui, &m, 'q');
	assert_true(ui.quit);
	ui_free(&ui);
	model_free(&m);
	screen_free(s);
}

static bool draws(struct ui *ui, struct model *m, const char *text)
{
	struct screen *s = screen_new(24, 80, true);
	bool found = shows(ui, m, s, text);

	screen_free(s);
	return found;
}

/* What lies over a view has the keys, and its last line tells them, not the view's. */
static void test_what_lies_over(void **state)
{
	struct facts facts;
	struct model m;
	struct ui ui;

	(void)state;
	make_model(&m, &facts);
	ui_init(&ui, true, true);
	assert_true(draws(&ui, &m, "q quit  ? help  Enter timeline"));
	ui_key(&ui, &m, '?');
	assert_true(draws(&ui, &m, "Esc close the help  j k scroll"));
	assert_false(draws(&ui, &m, "Enter timeline"));
	ui_key(&ui, &m, 'j');
	assert_true(ui.help);
	ui_key(&ui, &m, 'q'); /* closes it, and not more */
	assert_false(ui.help || ui.quit);
	ui_key(&ui, &m, '?');
	ui_key(&ui, &m, '4'); /* what one has read about works */
	assert_false(ui.help);
	assert_int_equal(ui.view, VIEW_LIMITS);
	ui_key(&ui, &m, '1');
	ui_key(&ui, &m, 's');
	assert_true(draws(&ui, &m, "Enter sort by it  j k move  Esc close"));
	assert_true(draws(&ui, &m, "RUNTIME"));
	ui_key(&ui, &m, TKEY_ESCAPE);
	assert_false(ui.sort_menu);
	ui_free(&ui);
	model_free(&m);
}

/* Why a list is empty: the filter, what was recorded, or that there is nothing yet. */
static void test_why_none(void **state)
{
	static const enum view views[] = { VIEW_CONTAINERS, VIEW_TIMELINE, VIEW_LIMITS };
	struct facts facts, other = { .start_ns = 1000 };
	struct model m, empty;
	struct ui ui;
	char why[UI_TEXT];

	(void)state;
	make_model(&m, &facts);
	model_init(&empty, &other, false);
	ui_init(&ui, true, true);
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		ui_set_view(&ui, views[i]);
		assert_true(ui_set_filter(&ui, "id~none-of-them", why, sizeof(why)));
		assert_true(draws(&ui, &m, "no container passes the filter; Esc clears it"));
		assert_true(ui_set_filter(&ui, "", why, sizeof(why)));
		m.only_followed = true;
		assert_true(draws(&ui, &m, "the recorded command caused no container; a shows the others"));
		ui_set_view(&ui, VIEW_CONTAINERS);
		ui_key(&ui, &m, 'a');
		assert_false(draws(&ui, &m, "caused no container"));
		ui_key(&ui, &m, 'a');
		m.only_followed = false;
		ui_set_view(&ui, views[i]);
		assert_true(draws(&ui, &empty, "no containers yet: start one"));
		empty.playback.is_recording = true;
		assert_true(draws(&ui, &empty, "no container was seen until this time"));
		empty.playback.is_recording = false;
	}
	ui_free(&ui);
	model_free(&m);
	model_free(&empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_screen_cuts), cmocka_unit_test(test_screen_wide), cmocka_unit_test(test_screen_hostile),
		cmocka_unit_test(test_lists), cmocka_unit_test(test_values), cmocka_unit_test(test_limits_written),
		cmocka_unit_test(test_binding_limit), cmocka_unit_test(test_keys), cmocka_unit_test(test_critical_path),
		cmocka_unit_test(test_rows), cmocka_unit_test(test_runs), cmocka_unit_test(test_log), cmocka_unit_test(test_log_bounds),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_any_keys), cmocka_unit_test(test_filter),
		cmocka_unit_test(test_choice), cmocka_unit_test(test_what_lies_over), cmocka_unit_test(test_why_none),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
