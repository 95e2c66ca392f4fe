/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_STATE_H
#define CTRACE_STATE_H

/* What the launcher remembers of a container: DIRECTORY/state.json. Where that is, and who may change it,
 * is the registry's (registry.h). */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/settings.h"
#include "util/error.h"

enum { STATE_ID_LENGTH = 64 };

enum state_status { STATE_CREATING, STATE_CREATED, STATE_RUNNING, STATE_RESTARTING, STATE_EXITED, STATE_REMOVING };

struct state {
	char id[STATE_ID_LENGTH + 1];
	char *name;
	char *directory; /* not stored */
	enum state_status status;

	/* What is to be undone; "" where there is nothing. */
	char *image_id, *image; /* held in the store; reference */
	char *store_root;
	char *storage; /* upper, work and root of the overlay, below the store's root; "" for a bundle */
	char *cgroup;  /* "/ctrace/ID" */
	char *address; /* "172.30.0.2", while it runs */
	char *gateway; /* "172.30.0.1", of that address */
	char *mac_address; /* of eth0 there, "02:42:ac:1e:00:02"; "": by an older ctrace */
	int64_t prefix; /* 16 */
	struct string_list anonymous; /* volumes that go with rm -v and --rm */

	/* What it takes to start it again; the rest is in config.json. */
	char *bundle;   /* directory of --bundle, or "" */
	char *rootfs;   /* directory of --rootfs, or "" */
	char *hostname, *stop_signal;
	char *network, *pid_mode, *ipc_mode, *uts_mode; /* "bridge", "host", "shareable", "container:ID", ""... */
	struct string_list ports;  /* as asked for: "127.0.0.1:8080:80/tcp" */
	struct string_list hosts;  /* --add-host, "name:address" */
	int64_t shm_size;          /* bytes, of a /dev/shm that others may share */
	int64_t stop_timeout;      /* seconds */
	int64_t user;              /* the pipes of its output are made this user's */
	bool remove, terminal, interactive, keeps_log;
	bool stdin_once;           /* its stdin ends with that of who is attached to it */
	enum restart_policy restart;
	int64_t restart_max;

	/* What people ask about. */
	struct string_list command, labels, annotations;
	int64_t entrypoint_count;     /* so much of the command is the entrypoint */
	char *user_name;              /* as --user or the image has it, or "" */
	char *host_config;            /* of host_config_text */
	struct string_list device_rules; /* of --device-cgroup-rule, as they were given */
	struct string_list exposed;   /* "80/tcp", published or not */
	struct string_list mounts;    /* of state_mount_text */
	struct string_list published; /* while it runs: "0.0.0.0:8080:80/tcp" */
	int64_t created_ns, started_ns, finished_ns; /* wall clock, 0 = never */
	int64_t pid;                  /* of init, 0 = none */
	int64_t exit_code, restart_count;
	bool oom_killed;
	char *traceparent; /* of whoever asked for it (W3C Trace Context), or "" */
	char *error; /* why the last start failed, or "" */
};

/* A volume or a bound path: an item of state.mounts. */
struct state_mount {
	const char *type, *name;          /* "volume" or "bind"; "" for a bound path */
	const char *source, *destination; /* on the host; in the container */
	const char *mode, *propagation;   /* "rw" or "ro"; "rprivate" */
};

char *state_mount_text(const struct state_mount *m); /* the caller's */
/* Cuts a copy of an item into its parts, which point into it; false: it is no such item. */
bool state_mount_split(char *text, struct state_mount *ret);

/* Whether the container has that volume, by whatever option. */
bool state_has_volume(const struct state *s, const char *volume);

/* Neither anything of it runs, nor is anybody making or removing it: made, or exited. */
static inline bool state_rests(const struct state *s)
{
	return s->status == STATE_CREATED || s->status == STATE_EXITED;
}

const char *state_status_name(enum state_status status);

/* Writes state.json, whole or not at all. */
int state_save(const struct state *s, struct error *err);
/* Reads DIRECTORY/state.json; every text is set, "" where the file says nothing. -ENOENT: there is none. */
int state_load(const char *directory, struct state *ret, struct error *err);
void state_free(struct state *s); /* also fit for _cleanup_ */

/* Given and not "". */
static inline bool state_has(const char *text)
{
	return text && *text;
}

/* Nanoseconds since 1970, now. */
int64_t state_now(void);

#endif
