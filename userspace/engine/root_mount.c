/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/root_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/overlay.h"
#include "engine/image/tree.h"
#include "util/array.h"
#include "util/cleanup.h"

/* A volatile upper directory refuses a second mount by a mark in overlayfs's own directory below the workdir; what it
 * guards against is a crash of the host, which a container with --rm does not outlive. */
static void forget_volatile(const char *workdir)
{
	static const char own[] = "work", name[] = "incompat";
	_cleanup_free_ char *mark = xasprintf("%s/%s/%s", workdir, own, name);

	tree_remove(AT_FDCWD, mark);
}

static int mount_layers(const struct state *s, char *const *layers, size_t count, struct error *err)
{
	_cleanup_free_ char *upper = xasprintf("%s/upper", s->storage);
	_cleanup_free_ char *work = xasprintf("%s/work", s->storage);
	_cleanup_free_ char *root = xasprintf("%s/root", s->storage);
	struct overlay o = { .layers = layers, .layer_count = count, .upper = upper, .work = work,
		.target = root, .is_volatile = s->remove };

	if (o.is_volatile && s->status != STATE_CREATING) /* it was mounted before */
		forget_volatile(work);
	return overlay_mount(&o, err);
}

/* An overlay must have something below it, also where the image has nothing. */
static int mount_nothing(const struct state *s, struct error *err)
{
	_cleanup_free_ char *empty = xasprintf("%s/empty", s->storage);

	if (mkdir(empty, 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", empty);
	return mount_layers(s, &empty, 1, err);
}

static int mount_layers_of(const struct state *s, const struct store_image *image, struct error *err)
{
	return image->layer_count ? mount_layers(s, image->layers, image->layer_count, err) : mount_nothing(s, err);
}

static int mount_image(const struct state *s, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	struct store_image image;
	int r = store_open(s->store_root, &store, err);

	if (r == 0)
		r = store_find(store, s->image_id, NULL, &image, err);
	if (r < 0)
		return r;
	r = mount_layers_of(s, &image, err);
	store_image_free(&image);
	return r;
}

/* --rootfs is a lower layer, too: many containers can use it at once, and none changes it. */
int root_mount(const struct state *s, const struct store_image *image, struct error *err)
{
	if (state_has(s->rootfs))
		return mount_layers(s, &s->rootfs, 1, err);
	return image ? mount_layers_of(s, image, err) : mount_image(s, err);
}
