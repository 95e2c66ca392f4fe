/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a container, in words: its limits, its end, the marks on its timeline. */
#include "exporters/waterfall_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "exporters/format.h"
#include "util/cleanup.h"

static const char *limit_value(const struct container *c, const char *file)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		if (!strcmp(c->limits[i].file, file))
			return c->limits[i].value;
	}
	return NULL;
}

static bool is_unlimited(const char *value)
{
	return !strncmp(value, "max", 3) || value[0] == '-' || strtoull(value, NULL, 10) >= 1ULL << 62;
}

static void text_quota(struct strbuf *sb, const char *quota, const char *period)
{
	double q = strtod(quota, NULL), p = period ? strtod(period, NULL) : 100000;

	if (p > 0)
		strbuf_printf(sb, "cpu %.3g (%.4g of every %.4g ms)", q / p, q / 1000, p / 1000);
}

/* One limit in words; nothing for a file that only belongs to another (a period), or sets none. */
static void text_limit(struct strbuf *sb, const struct container *c, const struct limit *l, bool utf8)
{
	static const struct { const char *file, *name; bool bytes; } names[] = {
		{ "memory.limit_in_bytes", "memory", true }, { "memory.max", "memory", true },
		{ "memory.high", "memory throttled above", true },
		{ "memory.memsw.limit_in_bytes", "memory+swap", true }, { "memory.swap.max", "swap", true },
		{ "memory.soft_limit_in_bytes", "memory reservation", true },
		{ "memory.low", "memory reservation", true },
		{ "memory.kmem.limit_in_bytes", "kernel memory", true },
		{ "cpu.shares", "cpu shares", false }, { "cpu.weight", "cpu weight", false },
		{ "cpuset.cpus", "on cpus", false }, { "cpuset.mems", "on memory nodes", false },
		{ "pids.max", "pids", false }, { "memory.swappiness", "swappiness", false },
	};
	char size[FORMAT_MAX], *rest;

	if (!strcmp(l->file, "cpu.cfs_quota_us")) {
		text_quota(sb, l->value, limit_value(c, "cpu.cfs_period_us"));
		return;
	}
	if (!strcmp(l->file, "cpu.max")) {
		strtod(l->value, &rest);
		text_quota(sb, l->value, rest && *rest ? rest : NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(l->file, names[i].file) != 0)
			continue;
		strbuf_printf(sb, "%s ", names[i].name);
		if (names[i].bytes)
			strbuf_puts(sb, format_bytes(size, strtoull(l->value, NULL, 10)));
		else
			text_quote(sb, l->value, utf8);
		return;
	}
	text_quote(sb, l->file, utf8);
	strbuf_putc(sb, '=');
	text_quote(sb, l->value, utf8);
}

void text_limits(struct strbuf *sb, const struct container *c, bool utf8)
{
	size_t before = sb->length;

	for (size_t i = 0; i < c->limit_count; i++) {
		const struct limit *l = &c->limits[i];

		if (!strcmp(l->file, "cpu.cfs_period_us") || str_starts(l->file, "devices.") ||
			!l->value[0] || is_unlimited(l->value))
			continue;
		if (sb->length > before)
			strbuf_puts(sb, ", ");
		text_limit(sb, c, l, utf8);
	}
}

/* How many CPUs' worth of time the quota gives, 0 = not known. */
static double cpu_limit(const struct container *c)
{
	const char *quota = limit_value(c, "cpu.cfs_quota_us"), *max = limit_value(c, "cpu.max");
	const char *period = limit_value(c, "cpu.cfs_period_us");
	double q, p = 100000;
	char *rest;

	if (!quota && !max)
		return 0;
	q = strtod(quota ? quota : max, &rest);
	if (!quota && *rest)
		p = strtod(rest, NULL);
	else if (quota && period)
		p = strtod(period, NULL);
	return q > 0 && p > 0 ? q / p : 0;
}

static bool is_bounded(const struct container *c)
{
	return c->steps_cut || c->actors_cut || c->marks_cut || c->labels_cut;
}

bool text_is_cut(const struct container *c)
{
	return is_bounded(c) || c->values_cut;
}

void text_forgotten(struct strbuf *sb, const struct timeline_stats *stats)
{
	const struct {
		uint64_t count;
		const char *one, *more;
	} rows[] = {
		{ stats->forgotten, "ended container forgotten", "ended containers forgotten" },
		{ stats->names_forgotten, "name told too early forgotten", "names told too early forgotten" },
		{ stats->paths_cut, "path of a cgroup too long", "paths of cgroups too long" },
		{ stats->clients_ignored, "client not asked for ids", "clients not asked for ids" },
		{ stats->callers_forgotten, "caller's span forgotten", "callers' spans forgotten" },
		{ stats->unwatched, "cgroup, name or network not watched", "cgroups, names or networks not watched" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].count)
			strbuf_printf(sb, ", %" PRIu64 " %s", rows[i].count, rows[i].count == 1 ? rows[i].one : rows[i].more);
	}
}

void text_blind_front(struct strbuf *sb, const struct container *c)
{
	strbuf_printf(sb, "the first steps of %" PRIu64 " phase%s may have been missed before the detail hooks were armed",
		c->inferred_front, c->inferred_front == 1 ? "" : "s");
}

static void add_bounded(struct strbuf *sb, const struct container *c)
{
	const struct {
		uint64_t count;
		const char *what;
	} cut[] = { { c->steps_cut, "step" }, { c->actors_cut, "actor" }, { c->marks_cut, "mark" }, { c->labels_cut, "label" } };
	const char *separator = ": ";

	strbuf_puts(sb, "beyond the bounds of a timeline");
	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		if (!cut[i].count)
			continue;
		strbuf_printf(sb, "%s%" PRIu64 " %s%s", separator, cut[i].count, cut[i].what, cut[i].count == 1 ? "" : "s");
		separator = ", ";
	}
	strbuf_puts(sb, ", counted and not kept");
}

void text_cut(struct strbuf *sb, const struct container *c)
{
	if (is_bounded(c))
		add_bounded(sb, c);
	if (c->values_cut)
		strbuf_printf(sb, "%s%" PRIu64 " name%s or label%s too long for a record, cut short", is_bounded(c) ? "; " : "",
			c->values_cut, c->values_cut == 1 ? "" : "s", c->values_cut == 1 ? "" : "s");
}

void text_throttling(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct throttling *t = &c->throttling;
	double cpus = cpu_limit(c);
	char duration[FORMAT_MAX];

	if (!t->known || !t->throttled)
		return;
	strbuf_printf(sb, "throttled %" PRIu64 " of %" PRIu64 " periods, %s, by its ", t->throttled, t->periods,
		format_duration(duration, t->throttled_ns, utf8));
	if (cpus > 0)
		strbuf_printf(sb, "limit of %.3g CPU%s", cpus, cpus == 1 ? "" : "s");
	else
		strbuf_puts(sb, "CPU limit");
}

static bool detail_u64(const struct details *details, const char *key, uint64_t *ret_value)
{
	const struct detail *d = details_get(details, key);

	if (!d || (d->type != DETAIL_U64 && d->type != DETAIL_NUMBER))
		return false;
	*ret_value = (uint64_t)d->number;
	return true;
}

/* "OOM: 256 MiB limit of /docker/... hit, usage 256 MiB" */
static void text_oom(struct strbuf *sb, const struct details *details, bool utf8)
{
	const char *limit_of = details_text(details, "limit_of");
	char size[FORMAT_MAX];
	uint64_t bytes;

	if (limit_of && !strcmp(limit_of, "host")) {
		strbuf_puts(sb, "OOM: the whole machine was out of memory");
		return;
	}
	strbuf_puts(sb, "OOM: ");
	if (detail_u64(details, "limit_bytes", &bytes))
		strbuf_printf(sb, "%s ", format_bytes(size, bytes));
	strbuf_puts(sb, "limit");
	text_word(sb, " of ", details_text(details, "limit_cgroup"), utf8);
	strbuf_puts(sb, " hit");
	if (detail_u64(details, "usage_bytes", &bytes))
		strbuf_printf(sb, ", usage %s", format_bytes(size, bytes));
}

static const struct mark *last_oom(const struct container *c)
{
	for (size_t i = c->mark_count; i-- > 0;) {
		if (c->marks[i].kind == MARK_OOM_KILL)
			return &c->marks[i];
	}
	return NULL;
}

static void text_sender(struct strbuf *sb, const struct exit_info *e, bool utf8)
{
	char comm[EVENT_COMM + 1] = "";

	if (e->sender_kernel) {
		strbuf_puts(sb, " from the kernel");
		return;
	}
	memcpy(comm, e->sender_comm, EVENT_COMM);
	strbuf_puts(sb, " from ");
	text_quote(sb, comm[0] ? comm : "?", utf8);
	strbuf_printf(sb, " (pid %u", e->sender_pid);
	text_word(sb, ", container ", e->sender_container, utf8);
	strbuf_putc(sb, ')');
}

static void text_death(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct exit_info *e = &c->exit;
	const struct mark *oom = last_oom(c);
	char name[FORMAT_MAX];

	if (!e->signal) {
		strbuf_printf(sb, "exit %d", e->code);
		if (oom) {
			strbuf_puts(sb, " (a process was killed; ");
			text_oom(sb, &oom->details, utf8);
			strbuf_putc(sb, ')');
		}
		return;
	}
	strbuf_printf(sb, "killed by %s", format_signal(name, e->signal));
	if (e->oom && oom) {
		strbuf_puts(sb, " (");
		text_oom(sb, &oom->details, utf8);
		strbuf_putc(sb, ')');
	} else if (e->oom) {
		strbuf_puts(sb, " (OOM)");
	} else if (e->has_sender) {
		text_sender(sb, e, utf8);
	} else {
		strbuf_puts(sb, ", sender unknown");
	}
	if (e->core)
		strbuf_puts(sb, ", core dumped");
	strbuf_printf(sb, ", exit code %d", e->code);
}

static bool has_failed(const struct step *s)
{
	return s->has_result && s->result < 0;
}

static bool makes_container(const struct container *c, const struct step *s)
{
	enum actor_role role = s->actor >= 0 && (size_t)s->actor < c->actor_count
		? c->actors[s->actor].role : ACTOR_KERNEL;

	return s->phase <= PHASE_EXEC && s->kind != STEP_SIGNAL &&
	       (role == ACTOR_RUNTIME || role == ACTOR_INIT || role == ACTOR_HOOK);
}

/* How far a start came that failed: an exec that failed and was not tried again, else the last step towards
 * the container. Failures before that (a masked path that this kernel lacks, a search of PATH) were
 * harmless: work went on after them. */
static const struct step *last_step(const struct container *c)
{
	const struct step *exec = NULL, *last = NULL;

	for (size_t i = 0; i < c->step_count; i++) {
		const struct step *s = &c->steps[i];

		if (!makes_container(c, s))
			continue;
		last = s;
		if (s->kind == STEP_EXEC)
			exec = has_failed(s) ? s : exec && exec->actor == s->actor ? NULL : exec;
	}
	return exec ? exec : last;
}

static bool start_failed(const struct container *c)
{
	const struct step *s;

	if (c->started_ns || c->existed)
		return false;
	s = last_step(c);
	return c->state == STATE_EXITED || c->ended || (s && has_failed(s) && s->kind == STEP_EXEC);
}

/* The engine's own words where it refused the start. */
static const char *answer_of_engine(const struct container *c)
{
	for (size_t i = c->step_count; i-- > 0;) {
		const struct step *s = &c->steps[i];
		const char *path = s->kind == STEP_REQUEST ? details_text(&s->details, "path") : NULL;

		if (path && strstr(path, "/start") && details_text(&s->details, "message"))
			return details_text(&s->details, "message");
	}
	return NULL;
}

/* A hook that took the last step and ended badly is why. */
static bool text_failed_hook(struct strbuf *sb, const struct container *c, const struct step *s, bool utf8)
{
	const struct actor *a = s && s->actor >= 0 ? &c->actors[s->actor] : NULL;
	char name[FORMAT_MAX];

	if (!a || a->role != ACTOR_HOOK || !a->exited || !a->exit_status || has_failed(s))
		return false;
	if (WIFSIGNALED(a->exit_status))
		strbuf_printf(sb, ": its hook was killed by %s: ", format_signal(name, WTERMSIG(a->exit_status)));
	else
		strbuf_printf(sb, ": its hook failed with exit code %d: ", WEXITSTATUS(a->exit_status));
	text_step(sb, s, utf8);
	return true;
}

static void text_not_started(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct step *s = last_step(c);
	const char *answer = answer_of_engine(c);
	char name[FORMAT_MAX];

	if (!start_failed(c)) {
		strbuf_puts(sb, "created, not started");
		return;
	}
	strbuf_puts(sb, "did not start");
	if (text_failed_hook(sb, c, s, utf8))
		return;
	if (s) {
		strbuf_puts(sb, has_failed(s) ? ": " : ": given up after ");
		text_step(sb, s, utf8);
	}
	if (s && has_failed(s))
		strbuf_printf(sb, ": %s (%s)", format_errno(name, (int)-s->result), strerror((int)-s->result));
	else if (s && !answer)
		strbuf_puts(sb, "; no traced call failed there, so the runtime's own message says why");
	if (!answer)
		return;
	strbuf_puts(sb, s ? "; the engine's answer: " : ": ");
	text_quote(sb, answer, utf8);
}

void text_outcome(struct strbuf *sb, const struct container *c, bool utf8)
{
	if (!c->started_ns && !c->existed)
		text_not_started(sb, c, utf8);
	else if (c->exit.known)
		text_death(sb, c, utf8);
	else if (c->state == STATE_EXITED)
		strbuf_puts(sb, "exited, code unknown");
	else
		strbuf_puts(sb, container_state_name(c->state));
}

bool text_is_failure(const struct container *c)
{
	if (!c->started_ns && !c->existed)
		return start_failed(c);
	return c->exit.known && c->exit.code != 0;
}

static void text_throttle(struct strbuf *sb, const struct details *details)
{
	uint64_t periods = 0, throttled = 0;

	detail_u64(details, "periods", &periods);
	detail_u64(details, "throttled", &throttled);
	strbuf_printf(sb, "throttled %" PRIu64 " of %" PRIu64 " periods", throttled, periods);
}

uint64_t text_mark_end(const struct mark *m)
{
	uint64_t until_ns;

	if (m->kind == MARK_THROTTLE && detail_u64(&m->details, "until_ns", &until_ns) && until_ns > m->at_ns)
		return until_ns;
	return m->at_ns;
}

/* Which limit refused, of the newest refusal: earlier ones were most likely by the same. */
static void text_pids_limit(struct strbuf *sb, const struct details *d, bool utf8)
{
	const char *of = details_text(d, "limit_of");
	bool is_own = of && !strcmp(of, "container");
	uint64_t limit;

	if (!detail_u64(d, "limit", &limit))
		return;
	strbuf_printf(sb, ", by %s limit of %" PRIu64 " processes and threads", is_own ? "its" : "the", limit);
	if (!is_own)
		text_word(sb, " of ", details_text(d, "limit_cgroup"), utf8);
}

void text_refused(struct strbuf *sb, const struct container *c, bool utf8)
{
	const struct mark *last = NULL;

	for (size_t i = 0; i < c->mark_count; i++)
		last = c->marks[i].kind == MARK_FORK_REFUSED ? &c->marks[i] : last;
	if (!last)
		return;
	strbuf_printf(sb, "forks refused: %" PRIu64, c->forks_refused);
	text_pids_limit(sb, &last->details, utf8);
	if (c->existed)
		strbuf_puts(sb, "; some perhaps before tracing began");
}

bool text_mark_is_bad(const struct mark *mark)
{
	return mark->kind == MARK_OOM_KILL || mark->kind == MARK_FORK_REFUSED;
}

/* What the victim held, and whether it was the first process; after text_oom. */
static void text_victim(struct strbuf *sb, const struct details *d)
{
	static const struct { const char *key, *name; } parts[] = { { "victim_anon_bytes", "anonymous" },
		{ "victim_file_bytes", "of files" }, { "victim_shmem_bytes", "shared" } };
	const struct detail *init = details_get(d, "init_killed");
	const char *separator = "; it held ";
	char size[FORMAT_MAX];
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!detail_u64(d, parts[i].key, &bytes) || !bytes)
			continue;
		strbuf_printf(sb, "%s%s %s", separator, format_bytes(size, bytes), parts[i].name);
		separator = ", ";
	}
	if (init)
		strbuf_printf(sb, "; it was %sthe first process", init->number ? "" : "not ");
}

static void text_oom_kill(struct strbuf *sb, const struct details *d, bool utf8)
{
	static const char *const used[] = { "limit_of", "limit_cgroup", "limit_bytes", "usage_bytes", "victim_comm", "victim_pid",
		"victim_ns_pid", "victim_anon_bytes", "victim_file_bytes", "victim_shmem_bytes", "init_killed", NULL };
	uint64_t pid;

	text_word(sb, "oom kill of ", details_text(d, "victim_comm"), utf8);
	if (detail_u64(d, "victim_pid", &pid))
		strbuf_printf(sb, " (pid %" PRIu64 ")", pid);
	strbuf_puts(sb, ": ");
	text_oom(sb, d, utf8);
	text_victim(sb, d);
	text_rest(sb, d, used, utf8);
}

/* "SIGTERM from runc (pid 8156), ignored" */
static void text_signal_mark(struct strbuf *sb, const struct details *d, bool utf8)
{
	static const char *const used[] = { "sig", "signal", "sender", "sender_pid", "sender_container", "target_pid", "ignored",
		NULL };
	uint64_t number = 0, pid;
	char name[FORMAT_MAX];

	detail_u64(d, "signal", &number);
	strbuf_puts(sb, format_signal(name, (int)number));
	if (detail_u64(d, "sender_pid", &pid)) {
		text_word(sb, " from ", details_text(d, "sender"), utf8);
		strbuf_printf(sb, " (pid %" PRIu64, pid);
		text_word(sb, ", container ", details_text(d, "sender_container"), utf8);
		strbuf_putc(sb, ')');
	} else {
		text_word(sb, " from the ", details_text(d, "sender"), utf8); /* kernel */
	}
	if (details_get(d, "ignored"))
		strbuf_puts(sb, ", ignored");
	text_rest(sb, d, used, utf8);
}

/* "exec session 7895: exit 7" */
static void text_exec_exit(struct strbuf *sb, const struct details *d)
{
	uint64_t pid, number;
	char name[FORMAT_MAX];

	strbuf_puts(sb, "exec session");
	if (detail_u64(d, "pid", &pid))
		strbuf_printf(sb, " %" PRIu64, pid);
	if (detail_u64(d, "signal", &number))
		strbuf_printf(sb, ": killed by %s", format_signal(name, (int)number));
	else if (detail_u64(d, "code", &number))
		strbuf_printf(sb, ": exit %" PRIu64, number);
}

void text_mark(struct strbuf *sb, const struct mark *m, bool utf8)
{
	static const char *const none[] = { NULL };
	uint64_t count;

	switch (m->kind) {
	case MARK_OOM_KILL:
		text_oom_kill(sb, &m->details, utf8);
		return;
	case MARK_THROTTLE:
		text_throttle(sb, &m->details);
		return;
	case MARK_SIGNAL:
		text_signal_mark(sb, &m->details, utf8);
		return;
	case MARK_EXEC_EXIT:
		text_exec_exit(sb, &m->details);
		return;
	default:
		break;
	}
	if (m->kind == MARK_STAGE && detail_u64(&m->details, "pid", &count)) {
		text_word(sb, "stage ", details_text(&m->details, "stage"), utf8);
		strbuf_printf(sb, " (pid %" PRIu64 ")", count);
		return;
	}
	if (m->kind == MARK_FORK_REFUSED && detail_u64(&m->details, "count", &count)) {
		strbuf_printf(sb, "%" PRIu64 " fork%s refused", count, count == 1 ? "" : "s");
		text_pids_limit(sb, &m->details, utf8);
		return;
	}
	strbuf_puts(sb, mark_kind_name(m->kind));
	text_rest(sb, &m->details, none, utf8);
}
