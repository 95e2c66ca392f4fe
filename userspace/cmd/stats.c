/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace stats: what containers use of the machine, in docker's columns. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/listing.h"
#include "cmd/words.h"
#include "engine/control.h"
#include "engine/registry.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/file.h"

enum { OPTION_NO_STREAM = 256, OPTION_FORMAT, OPTION_NO_TRUNC, PERIOD_MS = 1000, NET_FILE_MAX = 65536 };

static const struct listing_column columns[] = {
	{ "ID", "CONTAINER ID", false }, { "Name", "NAME", false }, { "CPUPerc", "CPU %", false },
	{ "MemUsage", "MEM USAGE / LIMIT", false }, { "MemPerc", "MEM %", false },
	{ "NetIO", "NET I/O", false }, { "BlockIO", "BLOCK I/O", false }, { "PIDs", "PIDS", false },
	{ "Container", "CONTAINER", true },
};

struct arguments {
	bool all, no_stream, no_trunc;
	const char *format;
	char **names;
	int count;
};

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "Also those that do not run", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template", 0 },
	{ "no-stream", OPTION_NO_STREAM, NULL, 0, "Once, and not again and again", 0 },
	{ "no-trunc", OPTION_NO_TRUNC, NULL, 0, "Do not cut ids", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'a': a->all = true; return 0;
	case OPTION_FORMAT: a->format = value; return 0;
	case OPTION_NO_STREAM: a->no_stream = true; return 0;
	case OPTION_NO_TRUNC: a->no_trunc = true; return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, "[CONTAINER...]",
	"Show CPU, memory, network, disk and processes of running containers, once a second.", NULL, NULL, NULL };

/* ---- one reading ---- */

struct reading {
	char id[STATE_ID_LENGTH + 1];
	int64_t cpu_ns, at_ns;
};

struct memory {
	struct reading *items; /* the last of each container, for what it used since */
	size_t count, capacity;
};

/* CPU time since the last reading, in percent of one CPU; 0 for the first. */
static double cpu_percent(struct memory *m, const struct state *s, int64_t cpu_ns)
{
	struct reading now = { .cpu_ns = cpu_ns, .at_ns = clock_ns(CLOCK_MONOTONIC) };
	double percent = 0;

	memcpy(now.id, s->id, sizeof(now.id));
	for (size_t i = 0; i < m->count; i++) {
		struct reading *last = &m->items[i];

		if (strcmp(last->id, s->id) != 0)
			continue;
		if (now.at_ns > last->at_ns && cpu_ns >= last->cpu_ns)
			percent = 100.0 * (double)(cpu_ns - last->cpu_ns) / (double)(now.at_ns - last->at_ns);
		*last = now;
		return percent;
	}
	array_grow(m->items, m->count, m->capacity);
	m->items[m->count++] = now;
	return 0;
}

/* All interfaces but lo, proc_pid_net(5). */
static void network(pid_t pid, uint64_t *ret_received, uint64_t *ret_sent)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/net/dev", (int)pid), *text = file_read(path, NET_FILE_MAX, NULL);
	char *rest = text, *line;

	*ret_received = *ret_sent = 0;
	while (rest && (line = strsep(&rest, "\n"))) {
		uint64_t received, sent;
		char name[32];

		if (sscanf(line, " %31[^: ]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, name, &received,
			    &sent) != 3 || !strcmp(name, "lo"))
			continue;
		*ret_received += received;
		*ret_sent += sent;
	}
}

static double total_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? (double)info.totalram * info.mem_unit : 0;
}

static char *pair(char *left, char *right)
{
	char *both = xasprintf("%s / %s", left, right);

	free(left);
	free(right);
	return both;
}

static void fill(json_object *row, const struct state *s, struct cgroup *cg, struct memory *m)
{
	struct cgroup_stats st;
	struct cgroup_memory mem;
	uint64_t received, sent;
	double limit = total_memory(), used;

	cgroup_read_stats(cg, &st);
	if (st.memory_limit > 0 && (double)st.memory_limit < limit)
		limit = (double)st.memory_limit;
	cgroup_read_memory(cg, st.memory_usage, &mem);
	used = mem.working_set > 0 ? (double)mem.working_set : 0;
	network((pid_t)s->pid, &received, &sent);
	listing_add(row, "CPUPerc", xasprintf("%.2f%%", cpu_percent(m, s, st.cpu_usage_ns > 0 ? st.cpu_usage_ns : 0)));
	listing_add(row, "MemUsage", pair(words_binary_size(used), words_binary_size(limit)));
	listing_add(row, "MemPerc", xasprintf("%.2f%%", limit > 0 ? used * 100 / limit : 0));
	listing_add(row, "NetIO", pair(words_size((double)received), words_size((double)sent)));
	listing_add(row, "BlockIO", pair(words_size(st.io_read_bytes > 0 ? (double)st.io_read_bytes : 0),
				words_size(st.io_write_bytes > 0 ? (double)st.io_write_bytes : 0)));
	listing_add(row, "PIDs", xasprintf("%lld", (long long)(st.pids > 0 ? st.pids : 0)));
}

static void fill_nothing(json_object *row)
{
	static const char *const keys[] = { "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		listing_add(row, keys[i], xstrdup("--"));
}

static json_object *make_row(const struct state *s, const struct arguments *a, struct memory *m)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	json_object *row = json_object_new_object();

	listing_add(row, "ID", xstrndup(s->id, a->no_trunc ? STATE_ID_LENGTH : 12));
	listing_add(row, "Container", xstrndup(s->id, 12));
	listing_add(row, "Name", xstrdup(s->name));
	if (control_open(s, &c, NULL) == 0 && runtime_cgroup(c))
		fill(row, s, runtime_cgroup(c), m);
	else
		fill_nothing(row);
	return row;
}

/* ---- all of them ---- */

static int collect(const struct arguments *a, struct memory *m, json_object *rows, struct error *err)
{
	struct state *list;
	size_t count;
	int r = 0;

	for (int i = 0; r == 0 && i < a->count; i++) {
		_cleanup_(state_free) struct state s = { 0 };

		r = registry_find(a->names[i], &s, err);
		if (r == 0)
			json_object_array_add(rows, make_row(&s, a, m));
	}
	if (a->count)
		return r;
	r = registry_list(&list, &count, err);
	for (size_t i = 0; i < count; i++) {
		if (a->all || control_is_running(&list[i]))
			json_object_array_add(rows, make_row(&list[i], a, m));
	}
	registry_list_free(list, count);
	return r;
}

static int show(const struct arguments *a, struct memory *m, bool print, struct error *err)
{
	struct listing listing = { .columns = columns, .column_count = ARRAY_SIZE(columns),
		.rows = json_object_new_array() };
	int r = collect(a, m, listing.rows, err);

	if (r == 0 && print) {
		if (!a->no_stream && !a->format && isatty(STDOUT_FILENO))
			fputs("\033[2J\033[H", stdout);
		r = listing_print(&listing, a->format, err);
		if (fflush(stdout) != 0 && r == 0 && errno != EPIPE)
			r = error_errno(err, errno, "cannot write the output");
	}
	json_object_put(listing.rows);
	return r;
}

int cmd_stats(int argc, char **argv)
{
	const struct timespec period = { PERIOD_MS / 1000, PERIOD_MS % 1000 * 1000000L };
	struct arguments a = { 0 };
	struct memory memory = { 0 };
	struct error err = { 0 };
	int code, r;

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	code = engine_command_begin("stats");
	if (code)
		return code;
	/* the first only says from where CPU time counts */
	r = show(&a, &memory, false, &err);
	do {
		nanosleep(&period, NULL);
		if (r == 0)
			r = show(&a, &memory, true, &err);
	} while (r == 0 && !a.no_stream && !ferror(stdout));
	clearerr(stdout); /* what failed was told; a reader that has enough is no error */
	free(memory.items);
	return r < 0 ? command_fail("stats", 1, &err) : 0;
}
