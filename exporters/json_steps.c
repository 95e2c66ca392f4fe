/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/json_steps.h"

#include <stdlib.h>
#include <string.h>

#include "exporters/json_emit.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { CONTAINERS = 16, STEPS = 512, TEXT_BYTES = 256 << 10 };

struct written_step {
	struct step step; /* as it was then */
	size_t at, length;
};

struct written {
	const struct container *container; /* only compared; NULL = free */
	struct written_step *steps;        /* STEPS of them, by their order; length 0 = not written yet */
	size_t step_count;                 /* the others are all 0 */
	struct strbuf text;
};

struct json_steps {
	struct written containers[CONTAINERS];
	size_t next; /* to be forgotten when another one comes */
};

struct json_steps *json_steps_new(void)
{
	return xcalloc(1, sizeof(struct json_steps));
}

void json_steps_free(struct json_steps *steps)
{
	if (!steps)
		return;
	for (size_t i = 0; i < CONTAINERS; i++) {
		free(steps->containers[i].steps);
		strbuf_free(&steps->containers[i].text);
	}
	free(steps);
}

static struct written *find(struct json_steps *steps, const struct container *c)
{
	for (size_t i = 0; i < CONTAINERS; i++) {
		if (steps->containers[i].container == c)
			return &steps->containers[i];
	}
	return NULL;
}

/* Keeps the memory for the next one. */
static void clear(struct written *w)
{
	if (w->step_count)
		memset(w->steps, 0, w->step_count * sizeof(*w->steps));
	w->step_count = 0;
	strbuf_reset(&w->text);
	w->container = NULL;
}

void json_steps_forget(struct json_steps *steps, const struct container *c)
{
	struct written *w = steps ? find(steps, c) : NULL;

	if (w)
		clear(w);
}

static struct written *find_or_begin(struct json_steps *steps, const struct container *c)
{
	struct written *w = find(steps, c);

	if (w)
		return w;
	w = find(steps, NULL);
	if (!w) {
		w = &steps->containers[steps->next];
		steps->next = (steps->next + 1) % CONTAINERS;
		clear(w);
	}
	if (!w->steps)
		w->steps = xcalloc(STEPS, sizeof(*w->steps));
	w->container = c;
	return w;
}

/* Details do not change once they are a container's, but they may move: then the step is not the same. Nor is it where only the
 * padding differs, which costs no more than writing it again. */
static bool is_same(const struct written_step *old, const struct step *step)
{
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
	return old->length && !memcmp(&old->step, step, sizeof(*step));
}

static void remember(struct written *w, struct written_step *as, const struct step *step, const char *text, size_t length)
{
	if (w->text.length + length > TEXT_BYTES)
		return;
	*as = (struct written_step){ .step = *step, .at = w->text.length, .length = length };
	if (w->step_count <= step->order)
		w->step_count = step->order + 1;
	strbuf_add(&w->text, text, length);
}

static void write_step(struct written *w, struct strbuf *sb, const struct step *step, json_step_writer *writer)
{
	struct written_step *old = &w->steps[step->order];
	size_t from = sb->length;

	if (is_same(old, step)) {
		json_ready(sb, w->text.text + old->at, old->length);
		return;
	}
	writer(sb, step);
	from += sb->text[from] == ',';
	remember(w, old, step, sb->text + from, sb->length - from);
}

void json_steps_write(struct json_steps *steps, struct strbuf *sb, const struct container *c, json_step_writer *writer)
{
	struct written *w = steps && c->step_count ? find_or_begin(steps, c) : NULL;

	for (size_t i = 0; i < c->step_count; i++) {
		if (w && c->steps[i].order < STEPS)
			write_step(w, sb, &c->steps[i], writer);
		else
			writer(sb, &c->steps[i]);
	}
}
