/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any text as a filter, over a container that has something of everything. What must hold: an error
 * has a column inside the text and one printable line; a filter and its items pass the same events; what
 * passes narrowed passes whole.
 */
#include "fuzz/fuzz.h"

#include "exporters/filter.h"
#include "unit/model_builder.h"

static void check_filter_error(const char *text, size_t column, const struct error *err)
{
	require(column >= 1 && column <= strlen(text) + 1);
	require(err->code != 0 && err->text[0]);
	for (const char *c = err->text; *c; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_filter(const struct filter *f, const struct container *c)
{
	struct filter *items = filter_items_only(f);
	struct event_syscall_exit e = { .h = { .size = sizeof(e), .kind = EVENT_SYSCALL_EXIT, .tgid = 7 },
		.op = OP_MOUNT, .result = -13 };
	bool any = false;

	require((items != NULL) == filter_has_items(f));
	for (size_t i = 0; i < c->step_count; i++)
		any |= filter_step(f, c, &c->steps[i]);
	require(!any || filter_container(f, c));
	require(!filter_event(f, NULL, &e.h) || filter_event(items, NULL, &e.h));
	filter_free(items);
}

void fuzz_filter(const uint8_t *data, size_t size)
{
	static struct container *c;
	struct filter *f = NULL;
	struct error err = { 0 };
	size_t column = 0;
	char *text = strndup((const char *)data, size);

	if (!c)
		c = mb_oom();
	if (filter_parse(text, &f, &column, &err) < 0)
		check_filter_error(text, column, &err);
	else
		check_filter(f, c);
	filter_free(f);
	free(text);
}

FUZZ_TARGET(fuzz_filter)
