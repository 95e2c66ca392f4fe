/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_NAMES_H
#define CTRACE_NAMES_H

#include <linux/types.h>
#include <stdint.h>

#include "bpf/event.h"
#include "capture/states.h"
#include "util/error.h"

/*
 * Names, images, pods and labels of containers, from what their engines keep on disk: the bundle's config.json and
 * its annotations, docker's config.v2.json, containers-storage's containers.json, the databases of containerd and of
 * podman; where these tell no name, from the sockets of docker and podman. They are read by a thread of its own, since a file
 * may be on a disk that does not answer, and come late, as EVENT_META; nothing waits for them. What cannot be read is counted.
 * Where a file has the name, it is watched for another.
 */
struct names;

/* root_mnt_ns: inode number of the host's mount namespace. */
int names_open(uint32_t root_mnt_ns, struct names **ret_names, struct error *err);
void names_close(struct names *names); /* takes NULL */

/* Readable when names_take has something to give. */
int names_fd(const struct names *names);

/* Reads now what the host's runtimes keep of their containers. */
void names_read_states(struct names *names, states_emit *emit, void *arg);

/* What is to be read of a container whose runtime is gone, and says where its bundle is. init: its process. */
void names_ask(struct names *names, const struct event *init, const char *id, const char *bundle);

/* Looks for runtimes and shims that name a container among the events; the others are of no interest. */
void names_observe(struct names *names, const struct event *event);

/* Gives what was found, as of now_ns. */
typedef void names_sink(void *arg, const struct event *event);
void names_take(struct names *names, uint64_t now_ns, names_sink *sink, void *arg);

/* What went unnoticed, added up: for want of room, containers whose names are not looked for or whose later names are not
 * noticed, and names and labels that were found and not fetched in time; files that are there and cannot be read; and
 * containers whose ids fit into no record. */
uint64_t names_unwatched(struct names *names);

/* Until all that was asked for is found, but not longer than that. */
void names_wait(struct names *names, int milliseconds);

#endif
