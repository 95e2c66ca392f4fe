/* SPDX-License-Identifier: Apache-2.0 */
/* A container that lives for long: thousands of health checks leave its start, its newest sessions and its end in the timeline,
 * take no more memory than a hundred do, and are counted. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exporters/docker_events.h"
#include "exporters/json.h"
#include "exporters/waterfall_text.h"
#include "timeline/timeline_internal.h"
#include "unit/event_builder.h"
#include "util/cleanup.h"

#define ID "9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c3f0a1b2c9c7c"

enum { CALLS = 9, STEPS_OF_CHECK = CALLS + 3 }; /* the client's exec, runc's, and the session's */

/* `docker exec ID check N`: a client, runc, its calls, and the session itself. */
static void health_check(int n)
{
	struct proc cli = new_proc(10000 + (uint32_t)(n % 5000) * 3), runc, session;
	char argv[64];

	exec_as(&cli, ROLE_RUNTIME, "runc", "runc --root /r exec " ID " check");
	runc = fork_of(&cli, cli.pid + 1, 0, 0);
	for (int i = 0; i < CALLS; i++) {
		enter(&runc, OP_SETNS, NULL, NULL, 0);
		leave(&runc, OP_SETNS, 0);
	}
	session = runc;
	session.level = 1;
	session.ns_pid = 17;
	session.mnt = 999;
	snprintf(argv, sizeof(argv), "check %d", n);
	exec_as(&session, ROLE_PAYLOAD, "check", argv);
	exits(&session, 0);
	exits(&cli, 0);
}

static size_t steps_in(const struct container *c, enum phase phase)
{
	size_t count = 0;

	for (size_t i = 0; i < c->step_count; i++)
		count += c->steps[i].phase == phase;
	return count;
}

static void check_references(const struct container *c)
{
	for (size_t i = 0; i < c->step_count; i++) {
		assert_true(c->steps[i].actor < (int)c->actor_count);
		assert_true(i == 0 || c->steps[i - 1].start_ns <= c->steps[i].start_ns);
	}
	for (size_t i = 0; i < c->actor_count; i++)
		assert_true(c->actors[i].parent < (int)i);
}

/* The step of a session belongs to the actor with the same arguments, after however many moves. */
static void check_sessions(const struct container *c, int last)
{
	char argv[64];
	int found = 0;

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];
		const struct actor *a = s->actor >= 0 ? &c->actors[s->actor] : NULL;

		if (s->kind != STEP_EXEC || !a || a->role != ACTOR_EXEC)
			continue;
		assert_string_equal(a->argv[0], "check");
		snprintf(argv, sizeof(argv), "check\x1f%s", a->argv[1]);
		assert_string_equal(details_text(&s->details, "argv"), argv);
		found++;
	}
	assert_true(found > 100);
	snprintf(argv, sizeof(argv), "%d", last);
	assert_string_equal(c->actors[c->actor_count - 1].argv[1], argv);
}

static void many_health_checks(void **state)
{
	enum { CHECKS = 6000 };
	struct proc runc = new_proc(100);
	struct proc init = runc_run(&runc, ID, 50);
	const struct container *c = timeline_get(tl, 0);
	size_t start, mounts, first = 0;

	(void)state;
	timeline_get(tl, 0); /* in order */
	start = c->step_count;
	mounts = steps_in(c, PHASE_MOUNTS);
	for (int n = 0; n < CHECKS; n++) {
		health_check(n);
		assert_true(c->step_count < TIMELINE_MAX_STEPS);
		assert_true(c->actor_count < 1100);
		if (n == 100)
			first = mallinfo2().uordblks;
	}
	assert_true(mallinfo2().uordblks < first + (8u << 20));
	check_sessions(c, CHECKS - 1);
	runc_gone(&runc, &init, ID, 50, 7 << 8);
	timeline_finish(tl);
	check_references(c);
	assert_int_equal(steps_in(c, PHASE_MOUNTS), mounts);
	assert_int_equal(c->step_count + c->steps_cut, start + (size_t)CHECKS * STEPS_OF_CHECK + steps_in(c, PHASE_TEARDOWN));
	assert_true(steps_in(c, PHASE_TEARDOWN) > 0);
	assert_true(c->marks_cut > 0 && c->actors_cut > 0);
	assert_int_equal(c->mark_count + c->marks_cut, c->marks_made);
	assert_true(c->exit.known);
	assert_int_equal(c->exit.code, 7);
}

static size_t lines_with(const char *text, const char *word)
{
	size_t count = 0;

	for (text = strstr(text, word); text; text = strstr(text + 1, word))
		count++;
	return count;
}

/* docker's events say each session once, also of those that are not kept. */
static void events_of_health_checks(void **state)
{
	enum { CHECKS = 3000 };
	struct facts facts = { 0 };
	struct docker_events *d = docker_events_new(&facts);
	struct proc runc = new_proc(100);
	struct strbuf told = { 0 };
	const struct container *c;

	(void)state;
	runc_run(&runc, ID, 50);
	c = timeline_get(tl, 0);
	now += 10000 * MS;
	for (int n = 0; n < CHECKS; n++) {
		health_check(n);
		timeline_get(tl, 0); /* in order */
		docker_events_update(d, &told, c, now);
	}
	assert_true(c->actors_cut > 0 && c->marks_cut > 0);
	assert_int_equal(lines_with(told.text, "\"Action\":\"exec_create"), CHECKS);
	assert_int_equal(lines_with(told.text, "\"Action\":\"exec_die"), CHECKS);
	docker_events_free(d);
	strbuf_free(&told);
}

/* Marks of one kind without end do not push out those of another. */
static void marks_without_end(void **state)
{
	struct proc runc = new_proc(100), other = new_proc(90);
	struct proc init = runc_run(&runc, ID, 50);
	const struct container *c = timeline_get(tl, 0);
	size_t hups = 0, started = 0;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct event_signal e = { .h = header(&other, EVENT_SIGNAL, sizeof(e)), .signal = 1,
			.target_tgid = init.pid, .target_start_ns = init.start, .target_ns_tgid = 1, .target_ns_level = 1,
			.target_cgroup_id = 50, .target_role = ROLE_PAYLOAD };

		feed(&e);
	}
	tick();
	timeline_get(tl, 0); /* in order */
	for (size_t i = 0; i < c->mark_count; i++) {
		hups += c->marks[i].kind == MARK_SIGNAL;
		started += c->marks[i].kind == MARK_STARTED;
	}
	assert_int_equal(started, 1);
	assert_true(hups >= 500 && hups <= 1100);
	assert_int_equal(hups + c->marks_cut, 5000);
}

/* Sessions that live cannot be forgotten, and are not looked through again and again for what could be. */
static void many_live_sessions(void **state)
{
	enum { SESSIONS = 1500 };
	struct proc runc = new_proc(100);
	const struct container *c;
	size_t live = 0;

	(void)state;
	runc_run(&runc, ID, 50);
	for (int n = 0; n < SESSIONS; n++) {
		struct proc session = new_proc(10000 + (uint32_t)n);

		exec_as(&session, ROLE_RUNTIME, "runc", "runc --root /r exec " ID " sleep");
		session.level = 1;
		session.ns_pid = 17;
		session.mnt = 999;
		exec_as(&session, ROLE_PAYLOAD, "sleep", "sleep 1000");
	}
	tick();
	c = timeline_get(tl, 0); /* in order */
	tick();
	assert_false(((const struct cont *)c)->unsettled);
	for (size_t i = 0; i < c->actor_count; i++)
		live += c->actors[i].role == ACTOR_EXEC && !c->actors[i].end_ns;
	assert_int_equal(live, SESSIONS);
	for (int n = 0; n < 2000; n++)
		health_check(n);
	assert_true(c->actor_count < SESSIONS * 2 + 1100 + SESSIONS / 4);
	assert_true(c->actors_cut > 0);
}

/* One that was made and never starts, and that somebody asks after all the time. */
static void polled_before_it_starts(void **state)
{
	struct proc creator = new_proc(100), shell = new_proc(90);
	const struct container *c;
	size_t most = 0;

	(void)state;
	exec_as(&creator, ROLE_RUNTIME, "runc", "runc create --bundle /b " ID);
	cgroup(&creator, EVENT_CGROUP_MKDIR, 50, "/" ID, 0);
	exits(&creator, 0);
	for (int n = 0; n < 5000; n++) {
		struct proc runc = fork_of(&shell, 10000 + (uint32_t)n, 0, 0);

		exec_as(&runc, ROLE_RUNTIME, "runc", "runc state " ID);
		exits(&runc, 0);
		c = timeline_find(tl, ID);
		most = c->actor_count > most ? c->actor_count : most;
	}
	assert_true(most < 1050); /* it is looked at now and then */
	assert_int_equal(c->actor_count + c->actors_cut, 5001);
	assert_string_equal(c->actors[0].argv[1], "create");
	assert_int_equal(c->actors[c->actor_count - 1].pid, 14999);
	check_references(c);
}

static void tell(const char *id, const char *key, const char *value)
{
	struct event_meta e = meta_of(id, key, value);

	feed(&e);
}

/* What was left out of the labels is counted, here and by who read them, and shown. */
static void labels_without_end(void **state)
{
	struct proc runc = new_proc(100);
	const struct container *c;
	struct strbuf sb = { 0 };
	char key[32];

	(void)state;
	runc_run(&runc, ID, 50);
	c = timeline_get(tl, 0);
	for (int i = 0; i < LABELS_MAX; i++) {
		snprintf(key, sizeof(key), "label.l%d", i);
		tell(ID, key, "x");
	}
	tell(ID, "label.l3", "y"); /* a newer value of one that is kept */
	assert_int_equal(c->labels_cut, 0);
	assert_false(text_is_cut(c));
	tell(ID, "label.more", "x");
	tell(ID, "label.evenmore", "x");
	assert_int_equal(c->label_count, LABELS_MAX);
	assert_int_equal(c->labels_cut, 2);
	tell(ID, "labels_cut", "136");
	tell(ID, "labels_cut", "136"); /* read again */
	assert_int_equal(c->labels_cut, 136);
	assert_true(text_is_cut(c));
	text_cut(&sb, c);
	assert_non_null(strstr(sb.text, "136 labels"));
	sb.length = 0;
	json_write_timeline(&sb, &(struct span_context){ 0 }, c, CHANGE_NAMED);
	assert_non_null(strstr(sb.text, "}],\"labels_cut\":136,"));
	sb.length = 0;
	tell(ID, "values_cut", "2");
	json_write_timeline(&sb, &(struct span_context){ 0 }, c, CHANGE_NAMED);
	assert_non_null(strstr(sb.text, ",\"labels_cut\":136,\"values_cut\":2,"));
	sb.length = 0;
	text_cut(&sb, c);
	assert_non_null(strstr(sb.text, "136 labels, counted and not kept; 2 names or labels too long for a record, cut short"));
	strbuf_free(&sb);
}

/* Nothing but a long value: that is said, and nothing else. */
static void values_that_are_too_long(void **state)
{
	struct proc runc = new_proc(100);
	struct strbuf sb = { 0 };
	const struct container *c;

	(void)state;
	runc_run(&runc, ID, 50);
	c = timeline_get(tl, 0);
	tell(ID, "values_cut", "1");
	assert_true(text_is_cut(c));
	text_cut(&sb, c);
	assert_string_equal(sb.text, "1 name or label too long for a record, cut short");
	strbuf_free(&sb);
}

static void tell_loss(uint32_t kind, uint32_t reason, uint64_t count)
{
	struct event_lost e = { .h = { .kind = EVENT_LOST, .size = sizeof(e), .time_ns = 1 }, .lost_kind = kind,
		.reason = reason, .count = count };

	assert_int_equal(timeline_feed(tl, &e.h), 0);
}

/* What is not watched is no lost event, and is told apart from them. */
static void what_is_not_watched(void **state)
{
	static const uint32_t reasons[] = { LOSS_UNWATCHED, LOSS_UNNAMED, LOSS_UNHEARD };
	struct timeline_stats stats;
	struct strbuf sb = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		tell_loss(0, reasons[i], 2);
	tell_loss(0, LOSS_UNHEARD, 3);
	tell_loss(EVENT_FORK, LOSS_RING_FULL, 5);
	timeline_get_stats(tl, &stats);
	assert_int_equal(stats.lost, 5);
	assert_int_equal(stats.unwatched, 7);
	text_forgotten(&sb, &stats);
	assert_string_equal(sb.text, ", 7 cgroups, names or networks not watched");
	strbuf_free(&sb);
}

/* A recording may tell of more counters of losses than there is room for. */
static void counters_of_losses_without_end(void **state)
{
	struct event_lost e = { .h = { .kind = EVENT_LOST, .size = sizeof(e) }, .count = 1 };
	struct timeline_stats stats = { 0 };
	struct loss_list list = { 0 };
	struct strbuf sb = { 0 };

	(void)state;
	for (uint32_t i = 0; i < LOSS_LIST_MAX + 3; i++) {
		e.lost_kind = i / 16;
		e.reason = i % 16;
		e.h.size = i % 2 ? sizeof(e) : offsetof(struct event_lost, until_ns); /* as older recordings have it */
		loss_list_note(&list, &e.h);
	}
	e.count = 2;
	e.lost_kind = 0;
	e.reason = 1;
	loss_list_note(&list, &e.h); /* a newer word of one that is kept */
	e.h.size--;
	loss_list_note(&list, &e.h); /* too short */
	assert_int_equal(list.count, LOSS_LIST_MAX);
	assert_int_equal(list.items[1].count, 2);
	assert_int_equal(list.left_out, 3);
	json_write_summary(&sb, &(struct json_summary){ .stats = &stats, .losses = &list });
	assert_non_null(strstr(sb.text, "],\"losses_left_out\":3,\"complete\":"));
	strbuf_free(&sb);
}

static struct timeline_stats stats_now(void)
{
	struct timeline_stats stats;

	timeline_get_stats(tl, &stats);
	return stats;
}

/* Of the names that come before their containers, the oldest give way; those whose containers never came are counted. */
static void early_names_without_end(void **state)
{
	struct proc old = new_proc(100), taken = new_proc(200), newest = new_proc(300);
	struct strbuf sb = { 0 };
	struct timeline_stats stats;
	char id[32];

	(void)state;
	tell("taken", "name", "first");
	runc_run(&taken, "taken", 50);
	for (int i = 0; i < META_MAX - 1; i++) {
		snprintf(id, sizeof(id), "early%d", i);
		tell(id, "name", "early");
	}
	tell("early1", "name", "renamed"); /* takes no room */
	assert_int_equal(stats_now().names_forgotten, 0);
	tell("more0", "name", "later"); /* for what is applied */
	assert_int_equal(stats_now().names_forgotten, 0);
	tell("more1", "name", "later"); /* for early0 */
	tell("unseen", "label.x", "y");
	assert_int_equal(stats_now().names_forgotten, 2);
	runc_run(&old, "early0", 60);
	runc_run(&newest, "more1", 70);
	assert_null(timeline_find(tl, "early0")->name);
	assert_string_equal(timeline_find(tl, "more1")->name, "later");
	stats = stats_now();
	json_write_summary(&sb, &(struct json_summary){ .stats = &stats });
	assert_non_null(strstr(sb.text, "\"names_forgotten\":2,"));
	sb.length = 0;
	text_forgotten(&sb, &stats);
	assert_non_null(strstr(sb.text, ", 2 names"));
	strbuf_free(&sb);
}

/* Links of which no container is known give way to newer ones. */
static void links_without_end(void **state)
{
	struct event_link e = { .h = { .kind = EVENT_LINK, .size = sizeof(e) }, .action = 16 /* RTM_NEWLINK */,
		.netns_id = -1, .kind = "veth" };

	(void)state;
	for (unsigned int i = 0; i < LINK_MAX + 3; i++) {
		e.ifindex = i + 1;
		e.h.time_ns = now += MS;
		snprintf(e.name, sizeof(e.name), "veth%u", i);
		feed(&e);
		feed(&e); /* told again */
		assert_int_equal(stats_now().unattributed, i < LINK_MAX ? 0 : i + 1 - LINK_MAX);
	}
}

/* A cgroup's path that fits into no record may belong to another container than it seems. */
static void paths_that_are_cut(void **state)
{
	struct event_cgroup e = { .h = { .kind = EVENT_CGROUP_MKDIR, .size = sizeof(e), .flags = EVENT_F_TRUNCATED },
		.hierarchy = 1, .id = 70, .level = 9 };
	struct timeline_stats stats;
	struct strbuf sb = { 0 };

	(void)state;
	memset(e.path, 'x', sizeof(e.path) - 1);
	e.h.time_ns = now += MS;
	feed(&e);
	e.h.kind = EVENT_CGROUP_RMDIR; /* of the same one */
	feed(&e);
	e.h.kind = EVENT_SNAPSHOT_CGROUP;
	feed(&e);
	stats = stats_now();
	assert_int_equal(stats.paths_cut, 2);
	json_write_summary(&sb, &(struct json_summary){ .stats = &stats });
	assert_non_null(strstr(sb.text, "\"paths_cut\":2,"));
	strbuf_free(&sb);
}

static void clients_without_end(void **state)
{
	struct proc last = { 0 };

	(void)state;
	for (int i = 0; i < CLI_MAX; i++) {
		last = new_proc(1000 + (uint32_t)i);
		exec_as(&last, ROLE_CLI, "ctr", "ctr run image x");
	}
	assert_int_equal(stats_now().clients_ignored, 0);
	exits(&last, 0); /* makes room */
	last = new_proc(5000);
	exec_as(&last, ROLE_CLI, "ctr", "ctr run image x");
	assert_int_equal(stats_now().clients_ignored, 0);
	last = new_proc(5001);
	exec_as(&last, ROLE_CLI, "ctr", "ctr run image x");
	assert_int_equal(stats_now().clients_ignored, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(many_health_checks), test(events_of_health_checks), test(marks_without_end), test(many_live_sessions),
		test(polled_before_it_starts), test(labels_without_end), test(values_that_are_too_long), test(what_is_not_watched),
		test(counters_of_losses_without_end), test(early_names_without_end), test(clients_without_end), test(links_without_end), test(paths_that_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
