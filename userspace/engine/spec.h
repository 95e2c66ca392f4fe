/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SPEC_H
#define CTRACE_SPEC_H

#include <json-c/json.h>

#include "engine/settings.h"
#include "engine/store.h"
#include "engine/user.h"

/* Everything that decides a container's config.json. */
struct spec_input {
	const struct run_settings *settings;
	const struct store_config *image; /* NULL for a plain root file system */
	const struct user_identity *user;
	const char *id, *name, *hostname; /* name: may be an invented one; NULL = none */
	const char *rootfs;    /* of the host */
	const char *directory; /* holds hosts, hostname and resolv.conf */
	const char *init;      /* of the host; NULL without --init */
	const char *shm;       /* the directory that becomes /dev/shm; NULL = a file system of its own */
	uint64_t held;         /* capabilities that may be handed out */
	bool cgroup2;          /* the host's controllers are v2's */
};

/* The document, by runtime-spec config.md, with docker's defaults; free with json_object_put. */
int spec_build(const struct spec_input *in, json_object **ret, struct error *err);

/* The argument vector: entrypoint and command of image and settings (image-spec, conversion.md).
 * -EINVAL: "No command specified". The strings belong to settings and image. */
int spec_args(const struct run_settings *s, const struct store_config *image,
	struct string_list *ret, struct error *err);
/* How many of them are the entrypoint, and not the command. */
size_t spec_entrypoint_count(const struct run_settings *s, const struct store_config *image);
/* The user as given or as the image says; "" = root. */
const char *spec_user(const struct run_settings *s, const struct store_config *image);
/* The working directory, absolute. */
const char *spec_workdir(const struct run_settings *s, const struct store_config *image);

/* Parts, each in its own file. */
json_object *spec_environment(const struct spec_input *in);
int spec_mounts(const struct spec_input *in, json_object **ret, struct error *err);
int spec_linux(const struct spec_input *in, json_object **ret, struct error *err);

/* Small helpers for building documents. */
void spec_add_string(json_object *o, const char *key, const char *value);
void spec_add_int(json_object *o, const char *key, int64_t value);
void spec_add_bool(json_object *o, const char *key, bool value);
/* words: separated by commas. */
json_object *spec_words(const char *words);

#endif
