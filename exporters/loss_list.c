/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/loss_list.h"

void loss_list_note(struct loss_list *list, const struct event *event)
{
	const struct event_lost *e = (const struct event_lost *)event;

	if (event->kind != EVENT_LOST || event->size < offsetof(struct event_lost, until_ns))
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].kind == e->lost_kind && list->items[i].reason == e->reason) {
			list->items[i].count = e->count;
			return;
		}
	}
	if (list->count < LOSS_LIST_MAX)
		list->items[list->count++] = (struct loss){ e->lost_kind, e->reason, e->count };
	else
		list->left_out++;
}
