/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_ENGINE_REGISTRY_H
#define CTRACE_ENGINE_REGISTRY_H

/*
 * Which containers there are and who may change each, below /run/ctrace (CTRACE_RUN in the environment
 * replaces it):
 *   containers/ID     the container's directory: state.json and its OCI bundle (config.json, hosts...).
 *                     One that stays when it has ended has it below the store, and this is a link there.
 *   names/NAME        a symbolic link whose text is the id
 *   live/ID           a claim: a symbolic link "PID START STORE". Whoever makes, runs, starts or removes
 *                     a container holds it; that of a process that is gone is void.
 *   lock              flock: taken for moments, while names and claims change
 * A claim is there before anything else of a container, and the last thing to go; so whatever a killed
 * process leaves is found by its void claim.
 */

#include <stddef.h>
#include <sys/types.h>

#include "engine/state.h"
#include "util/error.h"

const char *registry_directory(void);

/* 64 random hex digits. */
int registry_new_id(char ret[STATE_ID_LENGTH + 1], struct error *err);

/* Claims the id for the calling process, makes directory and name, writes state.json. With s->storage set
 * and !s->remove the directory is the storage. name NULL: one is invented. -EEXIST: the name is taken:
 * docker's text. */
int registry_add(struct state *s, const char *name, struct error *err);

/* -EBUSY: another process has it; *ret_owner (may be NULL) says which. */
int registry_claim(const struct state *s, pid_t *ret_owner, struct error *err);
void registry_release(const char *id);
/* The process that holds the claim, 0 = nobody. */
pid_t registry_owner(const char *id);

/* By id, name, or the beginning of an id that only one has; docker's errors. The state has its final
 * word: one that runs without a supervisor is told as exited. */
int registry_find(const char *what, struct state *ret, struct error *err);
/* All, newest first. */
int registry_list(struct state **ret, size_t *ret_count, struct error *err);
void registry_list_free(struct state *list, size_t count);

int registry_rename(struct state *s, const char *name, struct error *err);

/* Ends what a run of the container has: mounts, ports, address. Its processes are gone. */
int registry_stop(struct state *s, struct error *err);
/* Removes what stays: storage, anonymous volumes, the hold on its image, name; nothing is mounted any more.
 * The caller has the claim, which goes last. */
int registry_remove(struct state *s, struct error *err);

/* Waits until the state of the container may have changed (its file was written, or it is gone): for at
 * most timeout_ms, -1 = for ever. Open before looking at the state. */
struct registry_watch {
	int fd;
};
int registry_watch_open(const struct state *s, struct registry_watch *ret, struct error *err);
void registry_watch_wait(struct registry_watch *w, int timeout_ms);
void registry_watch_close(struct registry_watch *w);

/* For who changes what several containers share. */
int registry_lock(struct error *err); /* a descriptor that holds the lock until it is closed */
int registry_make_and_lock(struct error *err); /* the same where the registry's directories may not be there yet */
char *registry_path(const char *kind, const char *id);
bool registry_claim_is_void(const char *id, char **ret_store_root);
int registry_take_over(const char *id, const char *store_root);
void registry_remove_name(const char *name, const char *id);

#endif
