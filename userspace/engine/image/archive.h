/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_DOCKER_ARCHIVE_H
#define CTRACE_DOCKER_ARCHIVE_H

#include "engine/image/http.h"

struct image_plan;

/* A tar that docker save wrote (manifest.json, a configuration and layers per image). It is unpacked
 * into a scratch directory under names of our own. Thread-safe once open. */
struct docker_archive;

/* tag: the NAME[:TAG] among the archive's RepoTags, or NULL when it has one image. */
int docker_archive_open(const char *path, const char *tag, int scratch_fd,
	struct docker_archive **ret, struct error *err);
void docker_archive_close(struct docker_archive *a);

int docker_archive_plan(struct docker_archive *a, struct image_plan *plan, struct error *err);
int docker_archive_layer(struct docker_archive *a, size_t i, http_sink *sink, void *arg,
	struct error *err);

#endif
