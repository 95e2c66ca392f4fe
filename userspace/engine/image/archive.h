/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DOCKER_ARCHIVE_H
#define CTRACE_DOCKER_ARCHIVE_H

#include "engine/image/http.h"

struct image_plan;
struct json_object;

/* A tar that docker save wrote (manifest.json, a configuration and layers per image). It is unpacked
 * into a scratch directory under names of our own. Thread-safe once open. */
struct docker_archive;

/* path NULL: what stdin gives. */
int docker_archive_open(const char *path, int scratch_fd, struct docker_archive **ret, struct error *err);
void docker_archive_close(struct docker_archive *a);

/* The images in it; of image i the names, which nobody has checked: an array of what should be strings, or NULL. */
size_t docker_archive_count(const struct docker_archive *a);
struct json_object *docker_archive_names(const struct docker_archive *a, size_t i);

/* What the functions below are about: image i, or the one that has tag, a NAME[:TAG], among its names, or NULL where there is only
 * one image. */
void docker_archive_take(struct docker_archive *a, size_t i);
int docker_archive_choose(struct docker_archive *a, const char *tag, struct error *err);

int docker_archive_plan(struct docker_archive *a, struct image_plan *plan, struct error *err);
int docker_archive_layer(struct docker_archive *a, size_t i, http_sink *sink, void *arg,
	struct error *err);

#endif
