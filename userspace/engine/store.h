/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STORE_H
#define CTRACE_STORE_H

/*
 * The images of this host, as the launcher sees them: which references are here, what their
 * configuration says and which directories hold their layers. Needs libc and json-c only; what
 * downloads and unpacks is ctrace-image (engine/image/).
 *
 * On disk, below the root:
 *   lock               flock: shared while a hold is taken, exclusive while images change
 *   references.json    reference + platform -> image id
 *   images/HEX.json    one image: its configuration, layers, size
 *   images/HEX.history how it was made (image_history.h)
 *   layers/HEX/diff    one unpacked layer, HEX = its chain id (image-spec, config.md)
 *   holds/HEX/NAME     container NAME uses image HEX: rmi refuses
 *   tmp/               layers that are being unpacked, each locked by its owner
 * Every file appears by rename, so readers need no lock. Others may keep directories of their own
 * below the root (containers/ is the engine's).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct store;

/* Opens the store and makes its directories. root NULL: $CTRACE_ROOT, else /var/lib/ctrace for root,
 * else $XDG_DATA_HOME/ctrace or ~/.local/share/ctrace. */
int store_open(const char *root, struct store **ret_store, struct error *err);
void store_close(struct store *store);
void cleanup_store(struct store **store);
const char *store_root(const struct store *store); /* absolute, without symlinks */
int store_root_fd(const struct store *store);	   /* O_PATH-like directory, owned by the store */

struct store_label {
	char *key, *value;
};

/* The part of the image's configuration that a container needs (image-spec v1.1, config.md). Lists
 * are NULL-terminated and never NULL themselves; strings that the image does not set are "". */
struct store_config {
	char **entrypoint;
	char **cmd;
	char **env;	      /* "NAME=value" */
	char *user;	      /* "", "uid", "user", "uid:gid", "user:group" */
	char *working_dir;    /* "" = / */
	char **exposed_ports; /* "80/tcp"; always with the protocol */
	char **volumes;	      /* paths in the container */
	char *stop_signal;    /* "SIGTERM", "15"; "" = the engine's default */
	struct store_label *labels;
	size_t label_count;
};

struct store_image {
	char *id;	 /* "sha256:" + 64 hex digits: the digest of the configuration */
	char *reference; /* "docker.io/library/ubuntu:latest"; "" when only the id is left */
	char *digest;	 /* of the manifest that the reference named; "" when unknown */
	char *platform;	 /* "linux/amd64", "linux/arm/v7" */
	struct store_config config;
	char **layers; /* absolute paths of the layers' diff directories, lowest first, NULL-ended */
	size_t layer_count;
	uint64_t size;	   /* bytes of the unpacked layers' files */
	int64_t created_s; /* seconds since 1970, 0 when the image does not say */
};

/*
 * Finds an image. key: a reference as people type it ("ubuntu", "host:5000/a/b@sha256:..."), a source
 * ("oci:DIR[:TAG]", "docker-archive:FILE[:TAG]"), an image id, or a unique prefix of one (at least 3
 * hex digits). References win over ids. platform: "os/arch[/variant]", or NULL for the host's, else
 * whatever the reference has here. A source whose file changed since its import is not found.
 * Returns 0; -ENOENT (pull it: ctrace-image pull KEY); -EINVAL for a malformed reference or
 * platform and for an ambiguous prefix; -EBADMSG or -EIO for a damaged store.
 */
int store_find(struct store *store, const char *key, const char *platform,
	struct store_image *ret_image, struct error *err);

/* Every image, one entry per reference and platform, newest first; images that lost their last
 * reference come with reference "". The caller frees with store_images_free. */
int store_list(struct store *store, struct store_image **ret_images, size_t *ret_count,
	struct error *err);

void store_image_free(struct store_image *image); /* also fit for _cleanup_ */
void store_images_free(struct store_image *images, size_t count);

/* Notes that a container uses the image, so that rmi refuses to delete it. Holding twice is fine.
 * Returns -ENOENT when the image has been removed since it was found. container_id: [a-zA-Z0-9_.-]+ */
int store_hold(struct store *store, const char *image_id, const char *container_id,
	struct error *err);
/* Undoes store_hold; a hold that does not exist is not an error. */
int store_release(struct store *store, const char *image_id, const char *container_id,
	struct error *err);
/* The containers that hold the image: NULL-terminated, freed with store_strings_free. */
int store_holders(struct store *store, const char *image_id, char ***ret_containers,
	struct error *err);
void store_strings_free(char **strings);

/* Waits for the store's lock; exclusive for who changes images. The lock ends with the process, or
 * with store_unlock. Not recursive. */
int store_lock(struct store *store, bool exclusive, struct error *err);
void store_unlock(struct store *store);

#endif
