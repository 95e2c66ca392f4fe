/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/filter.h"

#include <stddef.h>
#include <string.h>

#include "exporters/filter_internal.h"
#include "exporters/format.h"
#include "exporters/json.h"
#include "util/cleanup.h"

/* What the fields of an item are read from; NULL and false: it has none, or it is not known. */
struct item {
	const char *type, *operation; /* operation: of a system call's event */
	const char *phase, *role;
	char comm[EVENT_COMM + 1];
	bool has_pid, has_result, has_duration, has_time;
	int64_t pid, result, duration, at;
	const struct details *details;
};

bool filter_type_is(const char *word, const char *type)
{
	if (!strcmp(word, "oom"))
		return !strcmp(type, "oom_kill") || !strcmp(type, "oom_victim");
	if (!strcmp(word, "limit"))
		return !strcmp(type, "limit_change") || !strcmp(type, "fork_refused");
	if (!strcmp(word, "cgroup"))
		return str_starts(type, "cgroup_");
	return !strcmp(word, type);
}

/* ---- comparing ---- */

static bool contains(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (size_t left = strlen(text); left >= n; text++, left--) {
		if (!strncasecmp(text, part, n))
			return true;
		if (!left)
			break;
	}
	return false;
}

/* Ids may be shortened, as docker allows it. */
static bool text_equals(const struct filter_term *term, const char *text, const char *value)
{
	if (term->field == FILTER_ID)
		return *value && str_starts(text, value);
	if (term->field == FILTER_TYPE)
		return filter_type_is(value, text);
	return !strcmp(text, value);
}

/* text NULL: it is not known. */
static bool value_matches(const struct filter_term *term, const struct filter_value *value, const char *text)
{
	if (!text || value->unknown)
		return !text && value->unknown;
	if (term->operator == FILTER_CONTAINS || term->operator == FILTER_CONTAINS_NOT)
		return contains(text, value->text);
	return text_equals(term, text, value->text);
}

static bool text_matches(const struct filter_term *term, const char *text)
{
	for (size_t i = 0; i < term->value_count; i++) {
		if (value_matches(term, &term->values[i], text))
			return true;
	}
	return false;
}

static bool is_negated(const struct filter_term *term)
{
	return term->operator == FILTER_NOT_EQUAL || term->operator == FILTER_CONTAINS_NOT;
}

/* One of the texts matches, or with != and !~ none of them. */
static bool compare_texts(const struct filter_term *term, const char *const *texts, size_t count)
{
	bool any = false, known = false;

	for (size_t i = 0; i < count; i++) {
		known |= texts[i] != NULL;
		any |= texts[i] && text_matches(term, texts[i]);
	}
	if (!known)
		any = text_matches(term, NULL);
	return any != is_negated(term);
}

static bool compare_text(const struct filter_term *term, const char *text)
{
	return compare_texts(term, &text, 1);
}

static bool compare_number(const struct filter_term *term, bool known, int64_t number)
{
	bool any = false;

	switch (term->operator) {
	case FILTER_MORE: return known && number > term->values[0].number;
	case FILTER_MORE_EQUAL: return known && number >= term->values[0].number;
	case FILTER_LESS: return known && number < term->values[0].number;
	case FILTER_LESS_EQUAL: return known && number <= term->values[0].number;
	default: break;
	}
	for (size_t i = 0; i < term->value_count; i++) {
		const struct filter_value *v = &term->values[i];

		any |= known ? !v->unknown && v->number == number : v->unknown;
	}
	return any != is_negated(term);
}

/* ---- fields of containers ---- */

static bool container_term(const struct filter_term *term, const struct container *c)
{
	const char *names[] = { c->id, c->name };

	switch (term->field) {
	case FILTER_CONT: return compare_texts(term, names, ARRAY_SIZE(names));
	case FILTER_ID: return compare_text(term, c->id);
	case FILTER_NAME: return compare_text(term, c->name);
	case FILTER_IMAGE: return compare_text(term, c->image);
	case FILTER_ENGINE: return compare_text(term, c->engine);
	case FILTER_RUNTIME: return compare_text(term, c->runtime);
	case FILTER_STATE: return compare_text(term, container_state_name(c->state));
	case FILTER_POD: return compare_text(term, c->pod);
	case FILTER_EXIT: return compare_number(term, c->exit.known, c->exit.code);
	case FILTER_SIGNAL: return compare_number(term, c->exit.known && c->exit.signal, c->exit.signal);
	case FILTER_OOM: return compare_number(term, true, c->exit.known && c->exit.oom);
	case FILTER_LOST: return compare_number(term, true, (int64_t)c->lost);
	case FILTER_START:
		return compare_number(term, c->first_ns && c->started_ns >= c->first_ns && !c->existed,
			(int64_t)(c->started_ns - c->first_ns));
	default: return true;
	}
}

/* Of a container that is not known, every field is unknown. */
static bool container_terms(const struct filter *f, const struct container *c)
{
	static const char *const unknown[] = { NULL };

	for (size_t i = 0; i < f->term_count; i++) {
		const struct filter_term *term = &f->terms[i];

		if (term->field >= FILTER_FIRST_ITEM)
			continue;
		if (c ? !container_term(term, c) : term->type == FILTER_TEXT ? !compare_texts(term, unknown, 1)
			: !compare_number(term, false, 0))
			return false;
	}
	return true;
}

/* ---- fields of items ---- */

static bool detail_term(const struct filter_term *term, const struct item *item)
{
	bool any = false, known = false;

	for (size_t i = 0; item->details && i < item->details->count; i++) {
		const char *at = detail_text(&item->details->items[i]);

		while (at && *at) { /* each item of a list, or the whole of a text */
			size_t n = item->details->items[i].type == DETAIL_LIST ? strcspn(at, "\x1f") : strlen(at);
			char word[1024];

			n = n < sizeof(word) ? n : sizeof(word) - 1;
			memcpy(word, at, n);
			word[n] = '\0';
			known = true;
			any |= text_matches(term, word);
			at += n + (at[n] == '\x1f');
		}
	}
	if (!known)
		any = text_matches(term, NULL);
	return any != is_negated(term);
}

static bool error_term(const struct filter_term *term, const struct item *item)
{
	bool failed = item->has_result && item->result < 0;
	char name[FORMAT_MAX];

	return compare_text(term, failed ? format_errno(name, item->result > -4096 ? (int)-item->result : 0) : NULL);
}

static bool item_term(const struct filter_term *term, const struct item *item)
{
	const char *comm = item->comm[0] ? item->comm : NULL;
	const char *actors[] = { item->role, comm }, *types[] = { item->type, item->operation };

	switch (term->field) {
	case FILTER_TYPE: return compare_texts(term, types, ARRAY_SIZE(types));
	case FILTER_PHASE: return compare_text(term, item->phase);
	case FILTER_ACTOR: return compare_texts(term, actors, ARRAY_SIZE(actors));
	case FILTER_COMM: return compare_text(term, comm);
	case FILTER_PID: return compare_number(term, item->has_pid, item->pid);
	case FILTER_RESULT: return compare_number(term, item->has_result, item->result < 0 ? item->result : 0);
	case FILTER_ERROR: return error_term(term, item);
	case FILTER_DUR: return compare_number(term, item->has_duration, item->duration);
	case FILTER_AT: return compare_number(term, item->has_time, item->at);
	case FILTER_DETAIL: return detail_term(term, item);
	default: return true; /* a container's: looked at before */
	}
}

static bool item_terms(const struct filter *f, const struct item *item)
{
	for (size_t i = 0; i < f->term_count; i++) {
		if (f->terms[i].field >= FILTER_FIRST_ITEM && !item_term(&f->terms[i], item))
			return false;
	}
	return true;
}

static void set_actor(struct item *item, const struct actor *a)
{
	item->role = actor_role_name(a->role);
	memcpy(item->comm, a->comm, EVENT_COMM);
	item->has_pid = a->pid != 0;
	item->pid = a->pid;
}

static void set_span(struct item *item, const struct container *c, uint64_t start, uint64_t end, enum edge from,
	enum edge to)
{
	item->has_duration = start && end >= start && from != EDGE_LOST && to != EDGE_LOST && to != EDGE_OPEN;
	item->duration = (int64_t)(end - start);
	item->has_time = start && c && c->first_ns && start >= c->first_ns;
	item->at = c ? (int64_t)(start - c->first_ns) : 0;
}

static struct item step_item(const struct container *c, const struct step *s)
{
	struct item item = { .type = step_kind_name(s->kind), .phase = phase_name(s->phase),
		.has_result = s->has_result, .result = s->result, .details = &s->details };

	set_span(&item, c, s->start_ns, s->end_ns, s->start_edge, s->end_edge);
	if (c && s->actor >= 0 && (size_t)s->actor < c->actor_count)
		set_actor(&item, &c->actors[s->actor]);
	return item;
}

static struct item mark_item(const struct container *c, const struct mark *m)
{
	struct item item = { .type = mark_kind_name(m->kind), .details = &m->details };

	set_span(&item, c, m->at_ns, 0, EDGE_LOST, EDGE_LOST);
	return item;
}

static struct item phase_item(const struct container *c, const struct phase_span *p)
{
	struct item item = { .phase = phase_name(p->phase) };

	set_span(&item, c, p->start_ns, p->end_ns, p->start_edge, p->end_edge);
	return item;
}

static struct item actor_item(const struct container *c, const struct actor *a)
{
	struct item item = { .type = NULL };

	set_actor(&item, a);
	set_span(&item, c, a->start_ns, a->end_ns, a->start_edge, a->end_edge);
	return item;
}

static struct item event_item(const struct container *c, const struct event *e)
{
	const struct event_syscall_exit *done = (const struct event_syscall_exit *)e;
	const struct event_syscall_enter *enter = (const struct event_syscall_enter *)e;
	struct item item = { .type = json_event_kind_name(e->kind), .role = json_event_role_name(e->role),
		.has_pid = e->tgid != 0, .pid = e->tgid };

	memcpy(item.comm, e->comm, EVENT_COMM);
	set_span(&item, c, e->time_ns, 0, EDGE_LOST, EDGE_LOST);
	if (e->kind == EVENT_SYSCALL_ENTER && e->size >= offsetof(struct event_syscall_enter, path_slots))
		item.operation = json_event_op_name(enter->op);
	if (e->kind == EVENT_SYSCALL_EXIT && e->size >= sizeof(*done)) {
		item.operation = json_event_op_name(done->op);
		item.has_result = true;
		item.result = done->result;
	}
	return item;
}

/* ---- the verbs ---- */

static bool item_passes(const struct filter *f, const struct container *c, const struct item *item)
{
	return container_terms(f, c) && item_terms(f, item);
}

static bool names_field(const struct filter *f, enum filter_field field)
{
	for (size_t i = 0; f && i < f->term_count; i++) {
		if (f->terms[i].field == field)
			return true;
	}
	return false;
}

bool filter_has_items(const struct filter *f)
{
	for (size_t i = 0; f && i < f->term_count; i++) {
		if (f->terms[i].field >= FILTER_FIRST_ITEM)
			return true;
	}
	return false;
}

static bool has_item(const struct filter *f, const struct container *c)
{
	struct item item;

	for (size_t i = 0; i < c->step_count; i++) {
		item = step_item(c, &c->steps[i]);
		if (item_terms(f, &item))
			return true;
	}
	for (size_t i = 0; i < c->mark_count; i++) {
		item = mark_item(c, &c->marks[i]);
		if (item_terms(f, &item))
			return true;
	}
	for (size_t i = 0; i < c->phase_count && names_field(f, FILTER_PHASE); i++) {
		item = phase_item(c, &c->phases[i]);
		if (item_terms(f, &item))
			return true;
	}
	if (!names_field(f, FILTER_ACTOR) && !names_field(f, FILTER_COMM) && !names_field(f, FILTER_PID))
		return false;
	for (size_t i = 0; i < c->actor_count; i++) {
		item = actor_item(c, &c->actors[i]);
		if (item_terms(f, &item))
			return true;
	}
	return false;
}

bool filter_container(const struct filter *f, const struct container *c)
{
	return !f || (container_terms(f, c) && (!filter_has_items(f) || has_item(f, c)));
}

bool filter_step(const struct filter *f, const struct container *c, const struct step *s)
{
	struct item item;

	if (!f)
		return true;
	item = step_item(c, s);
	return item_passes(f, c, &item);
}

bool filter_event(const struct filter *f, const struct container *c, const struct event *e)
{
	struct item item;

	if (!f)
		return true;
	item = event_item(c, e);
	return item_passes(f, c, &item);
}
