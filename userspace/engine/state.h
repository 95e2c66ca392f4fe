/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STATE_H
#define CTRACE_STATE_H

/*
 * The launcher's memory of its containers, below /run/ctrace (CTRACE_RUN in the environment replaces
 * it):
 *   containers/ID/state.json  who supervises it (pid, start time), name, image, root, cgroup
 *   containers/ID/            is also the OCI bundle: config.json, hosts, hostname, resolv.conf
 *   names/NAME                a symbolic link whose text is the id
 *   lock                      flock: taken while containers are registered or removed
 * A container whose supervisor is gone is removed by the next ctrace, with all that it left behind.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

enum { STATE_ID_LENGTH = 64 };

struct state {
	char id[STATE_ID_LENGTH + 1];
	char *name;
	char *directory; /* containers/ID */
	/* What is to be undone; "" where there is nothing. */
	char *image_id, *image; /* held in the store; reference */
	char *store_root;
	char *storage; /* upper, work and root of the overlay, below the store's root */
	char *cgroup;  /* "/ctrace/ID" */
	char *address; /* "172.30.0.2" */
};

const char *state_run_directory(void);

/* 64 random hex digits. */
int state_new_id(char ret[STATE_ID_LENGTH + 1], struct error *err);

/* Makes directory and name, writes state.json. name NULL: one is invented. -EEXIST: the name is taken:
 * docker's text. */
int state_register(struct state *s, const char *name, struct error *err);
/* Writes state.json again; the supervisor is the calling process. */
int state_save(const struct state *s, struct error *err);
/* Unmounts and removes storage, releases image and address, removes directory and name. Goes on
 * after a failure; the first is returned. The container itself has to be gone. */
int state_remove(struct state *s, struct error *err);
void state_free(struct state *s);

/* Removes what killed supervisors left: containers, cgroups, mounts, files, names, addresses. */
void state_clean_leftovers(void);

/* A reboot empties /run: storage carries the id of the boot that it was made in, and what an earlier boot
 * left below the image store's root is removed. */
int state_mark_storage(const char *storage);
void state_clean_storage(const char *store_root);

/* Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22); 0 = gone. */
unsigned long long state_process_start(pid_t pid);

/* rm -rf of one file system, without following links. */
int state_remove_tree(int at, const char *name);

#endif
