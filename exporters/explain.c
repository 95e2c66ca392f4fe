/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/explain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/explain_rules.h"
#include "util/array.h"

struct explain {
	const struct container *container;
	bool *told; /* one per rule */
	bool told_later_exec;
};

struct explain *explain_new(const struct container *c)
{
	struct explain *e = xcalloc(1, sizeof(*e));

	e->container = c;
	e->told = xcalloc(explain_rule_count, sizeof(*e->told));
	return e;
}

void explain_free(struct explain *e)
{
	if (!e)
		return;
	free(e->told);
	free(e);
}

static bool item_matches(const struct explain_rule *r, const char *text, size_t length)
{
	size_t n = strlen(r->value);

	switch (r->match) {
	case EXPLAIN_ANY: return true;
	case EXPLAIN_IS: return length == n && !memcmp(text, r->value, n);
	case EXPLAIN_STARTS: return length >= n && !memcmp(text, r->value, n);
	case EXPLAIN_ENDS: return length >= n && !memcmp(text + length - n, r->value, n);
	case EXPLAIN_HOLDS: return memmem(text, length, r->value, n) != NULL;
	}
	return false;
}

/* Signals are told by name or by number. */
static bool signal_matches(const struct explain_rule *r, const struct detail *d)
{
	const char *name = d->number > 0 && d->number < 65 ? sigabbrev_np((int)d->number) : NULL;

	return name && item_matches(r, name, strlen(name));
}

static bool rule_matches(const struct explain_rule *r, const struct step *s)
{
	const struct detail *d;
	const char *at;

	if (r->kind != s->kind)
		return false;
	if (r->match == EXPLAIN_ANY)
		return true;
	d = details_get(&s->details, r->key);
	/* /proc/self/fd/N says nothing; what it stands for does. */
	if (!strcmp(r->key, "target") && details_get(&s->details, "resolved"))
		d = details_get(&s->details, "resolved");
	if (d && d->type == DETAIL_NUMBER && s->kind == STEP_SIGNAL)
		return signal_matches(r, d);
	at = detail_text(d);
	while (at && *at) {
		size_t n = d->type == DETAIL_LIST ? strcspn(at, "\x1f") : strlen(at);

		if (item_matches(r, at, n))
			return true;
		at += n + (at[n] != '\0');
	}
	return false;
}

/* Rules that say the same (a memfd under three names) are told once. */
static bool is_told(const struct explain *e, size_t rule)
{
	for (size_t i = 0; i < explain_rule_count; i++) {
		if (e->told[i] && !strcmp(explain_rules[i].text, explain_rules[rule].text))
			return true;
	}
	return false;
}

static void tell(struct explain *e, size_t rule, struct strbuf *sb)
{
	if (sb->length)
		strbuf_putc(sb, ' ');
	strbuf_puts(sb, explain_rules[rule].text);
	e->told[rule] = true;
}

/* init's own exec is the moment the container starts; no detail of the step says so, its phase does. */
static bool is_init_exec(const struct step *s)
{
	return s->kind == STEP_EXEC && s->phase == PHASE_EXEC && !(s->has_result && s->result < 0);
}

/* An exec of init or of an exec session that was one already. */
static bool is_later_exec(const struct explain *e, const struct step *s)
{
	const struct container *c = e->container;
	const struct actor *a = s->actor >= 0 ? &c->actors[s->actor] : NULL;

	return s->kind == STEP_EXEC && s->phase == PHASE_RUN && a && s->start_ns > a->start_ns &&
	       (a->role == ACTOR_INIT || a->role == ACTOR_EXEC);
}

static enum explained explain_later_exec(struct explain *e, struct strbuf *sb)
{
	if (e->told_later_exec)
		return EXPLAINED_ABOVE;
	e->told_later_exec = true;
	strbuf_puts(sb, "The program gives its place to another, as an entrypoint script does in its last line "
		"(exec \"$@\"): the pid stays, and signals for the container reach the new program.");
	return EXPLAINED;
}

enum explained explain_step(struct explain *e, const struct step *s, struct strbuf *sb)
{
	static const char begins[] = "This is the moment the container starts: the prepared process becomes its "
		"program. execve keeps pid, namespaces, cgroup and seccomp filter.";
	size_t before = sb->length;
	bool main_found = false, any = false;

	if (is_later_exec(e, s))
		return explain_later_exec(e, sb);
	for (size_t i = 0; i < explain_rule_count; i++) {
		const struct explain_rule *r = &explain_rules[i];

		if ((r->use == EXPLAIN_MAIN && main_found) || !rule_matches(r, s))
			continue;
		any = true;
		main_found |= r->use == EXPLAIN_MAIN;
		if (is_told(e, i))
			continue;
		if (r->match == EXPLAIN_ANY && is_init_exec(s) && e->container->started_ns) {
			strbuf_puts(sb, begins);
			e->told[i] = true;
		} else {
			tell(e, i, sb);
		}
	}
	return sb->length > before ? EXPLAINED : any ? EXPLAINED_ABOVE : EXPLAINED_NOT;
}
