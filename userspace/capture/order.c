/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/order.h"

#include <stdlib.h>
#include <string.h>

#include "util/array.h"

struct order_entry {
	uint64_t time_ns, sequence;
	struct event *event;
};

static bool before(const struct order_entry *a, const struct order_entry *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->sequence < b->sequence;
}

static void sift_up(struct order *order, size_t i)
{
	struct order_entry moving = order->entries[i];

	while (i > 0 && before(&moving, &order->entries[(i - 1) / 2])) {
		order->entries[i] = order->entries[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	order->entries[i] = moving;
}

static void sift_down(struct order *order)
{
	struct order_entry moving = order->entries[0];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < order->count) {
		if (child + 1 < order->count && before(&order->entries[child + 1], &order->entries[child]))
			child++;
		if (!before(&order->entries[child], &moving))
			break;
		order->entries[i] = order->entries[child];
		i = child;
	}
	order->entries[i] = moving;
}

void order_push(struct order *order, const struct event *event)
{
	struct order_entry *entry;

	array_grow(order->entries, order->count, order->capacity);
	entry = &order->entries[order->count];
	entry->time_ns = event->time_ns;
	entry->sequence = order->sequence++;
	entry->event = xmalloc(event->size);
	memcpy(entry->event, event, event->size);
	order->bytes += event->size;
	if (event->time_ns < order->last_ns)
		order->late++;
	sift_up(order, order->count++);
}

struct event *order_pop(struct order *order, uint64_t horizon_ns)
{
	bool crowded = order->max_bytes && order->bytes > order->max_bytes;
	struct event *event;

	if (!order->count || (order->entries[0].time_ns > horizon_ns && !crowded))
		return NULL;
	event = order->entries[0].event;
	order->bytes -= event->size;
	if (event->time_ns > order->last_ns)
		order->last_ns = event->time_ns;
	order->entries[0] = order->entries[--order->count];
	if (order->count)
		sift_down(order);
	return event;
}

void order_free(struct order *order)
{
	for (size_t i = 0; i < order->count; i++)
		free(order->entries[i].event);
	free(order->entries);
	memset(order, 0, sizeof(*order));
}
