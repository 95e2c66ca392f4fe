/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/image_use.h"

#include <string.h>

#include "engine/image/image_history.h"
#include "util/map.h"

bool image_is_used(struct store *store, const struct store_image *image)
{
	char **holders = NULL;
	bool used = store_holders(store, image->id, &holders, NULL) == 0 && *holders;

	store_strings_free(holders);
	return used;
}

uint64_t image_layers_size(struct store *store, const struct store_image *images, size_t count, bool used)
{
	struct map seen = { 0 };
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		if (used && !image_is_used(store, &images[i]))
			continue;
		for (size_t j = 0; j < images[i].layer_count; j++) {
			const char *layer = images[i].layers[j];

			if (!map_put(&seen, layer, strlen(layer), &seen))
				bytes += image_layer_size(store, &images[i], j);
		}
	}
	map_free(&seen);
	return bytes;
}
