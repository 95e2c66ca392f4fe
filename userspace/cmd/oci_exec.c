/* SPDX-License-Identifier: Apache-2.0 */
/* `ctrace oci exec`: one more process in a container. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/oci_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { EXEC_FAILED = 255 }; /* as runc: no code of the program's; the text tells which */

struct words {
	const char **items;
	size_t count, capacity;
};

struct exec_arguments {
	struct runtime_exec_options options;
	const char *process_file, *user, *cwd, *id, *apparmor, *label;
	struct words env, groups, capabilities, cgroups;
	bool detach, terminal;
	const char *no_new_privs; /* "true", "false"; NULL = as the container */
	char **command;
};

static void add_word(struct words *w, const char *text)
{
	array_grow(w->items, w->count, w->capacity);
	w->items[w->count++] = text;
}

static void arguments_free(struct exec_arguments *a)
{
	free(a->env.items);
	free(a->groups.items);
	free(a->capabilities.items);
	free(a->cgroups.items);
}

enum {
	OPTION_PID_FILE = 256,
	OPTION_CONSOLE,
	OPTION_PRESERVE,
	OPTION_CWD,
	OPTION_LABEL,
	OPTION_APPARMOR,
	OPTION_NO_NEW_PRIVS,
	OPTION_CGROUP,
	OPTION_IGNORE_PAUSED,
	OPTION_IGNORED
};

static int take_option(const struct oci *oci, struct exec_arguments *a, int option)
{
	switch (option) {
	case 'p':
		a->process_file = optarg;
		break;
	case 'd':
		a->detach = true;
		break;
	case 't':
		a->terminal = true;
		break;
	case 'u':
		a->user = optarg;
		break;
	case 'e':
		add_word(&a->env, optarg);
		break;
	case 'g':
		add_word(&a->groups, optarg);
		break;
	case 'c':
		add_word(&a->capabilities, optarg);
		break;
	case OPTION_CWD:
		a->cwd = optarg;
		break;
	case OPTION_PID_FILE:
		a->options.pid_file = optarg;
		break;
	case OPTION_CONSOLE:
		a->options.console_socket = optarg;
		break;
	case OPTION_PRESERVE:
		return oci_preserve_fds(oci, optarg, &a->options.preserve_fds);
	case OPTION_LABEL:
		a->label = optarg;
		break;
	case OPTION_APPARMOR:
		a->apparmor = optarg;
		break;
	case OPTION_NO_NEW_PRIVS:
		a->no_new_privs = optarg ? optarg : "true";
		if (strcmp(a->no_new_privs, "true") != 0 && strcmp(a->no_new_privs, "false") != 0)
			return oci_usage(oci, "--no-new-privs wants true or false");
		break;
	case OPTION_CGROUP:
		add_word(&a->cgroups, optarg);
		break;
	case OPTION_IGNORE_PAUSED:
		a->options.ignore_paused = true;
		break;
	case OPTION_IGNORED:
		break;
	default:
		return 1;
	}
	return 0;
}

static int parse_exec(const struct oci *oci, int argc, char **argv, struct exec_arguments *a)
{
	static const struct option options[] = {
		{ "process", required_argument, NULL, 'p' }, { "detach", no_argument, NULL, 'd' },
		{ "tty", no_argument, NULL, 't' }, { "user", required_argument, NULL, 'u' },
		{ "env", required_argument, NULL, 'e' },
		{ "additional-gids", required_argument, NULL, 'g' },
		{ "cap", required_argument, NULL, 'c' }, { "cwd", required_argument, NULL, OPTION_CWD },
		{ "pid-file", required_argument, NULL, OPTION_PID_FILE },
		{ "console-socket", required_argument, NULL, OPTION_CONSOLE },
		{ "preserve-fds", required_argument, NULL, OPTION_PRESERVE },
		{ "process-label", required_argument, NULL, OPTION_LABEL },
		{ "apparmor", required_argument, NULL, OPTION_APPARMOR },
		{ "no-new-privs", optional_argument, NULL, OPTION_NO_NEW_PRIVS },
		{ "cgroup", required_argument, NULL, OPTION_CGROUP },
		{ "ignore-paused", no_argument, NULL, OPTION_IGNORE_PAUSED },
		{ "no-subreaper", no_argument, NULL, OPTION_IGNORED }, { 0 },
	};
	int c;

	while ((c = oci_option(argc, argv, "+p:dtu:e:g:c:", options)) != -1) {
		int r = take_option(oci, a, c);

		if (r != 0)
			return r;
	}
	if (optind >= argc || (!a->process_file && optind + 1 >= argc))
		return oci_usage(oci, "exec wants a container id, and a command or --process FILE");
	a->id = argv[optind];
	a->command = argv + optind + 1;
	a->options.cgroups = a->cgroups.items;
	a->options.cgroup_count = a->cgroups.count;
	return 0;
}

/* `key` of an object, made where it is missing. */
static json_object *member(json_object *o, const char *key, json_object *(*make)(void))
{
	json_object *v = json_object_object_get(o, key);

	if (!v) {
		v = make();
		json_object_object_add(o, key, v);
	}
	return v;
}

static void add_strings(json_object *array, const struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		json_object_array_add(array, json_object_new_string(w->items[i]));
}

/* A variable that is there already is replaced: programs take the first. */
static void add_variables(json_object *env, const struct words *w)
{
	for (size_t i = 0; i < w->count; i++) {
		size_t name = strcspn(w->items[i], "="), n = json_object_array_length(env), j = 0;

		while (j < n && strncmp(json_object_get_string(json_object_array_get_idx(env, j)),
				       w->items[i], name + 1) != 0)
			j++;
		json_object_array_put_idx(env, j, json_object_new_string(w->items[i]));
	}
}

static int add_groups(json_object *process, const struct words *w, struct error *err)
{
	json_object *user = member(process, "user", json_object_new_object);
	json_object *groups = member(user, "additionalGids", json_object_new_array);

	for (size_t i = 0; i < w->count; i++) {
		long long gid = oci_number(w->items[i], UINT32_MAX - 1LL);

		if (gid < 0)
			return error_set(err, EINVAL, "--additional-gids: \"%s\" is no group id",
				w->items[i]);
		json_object_array_add(groups, json_object_new_int64(gid));
	}
	return 0;
}

/* Inheritable and ambient stay empty: CVE-2022-24769. */
static void add_capabilities(json_object *process, const struct words *w)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	json_object *caps = member(process, "capabilities", json_object_new_object);

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		add_strings(member(caps, sets[i], json_object_new_array), w);
}

/* The container's own process with what the options change. */
static char *make_process(struct container *c, const struct exec_arguments *a, struct error *err)
{
	_cleanup_free_ char *text = runtime_exec_process(c, a->command, a->user, a->cwd, a->terminal, err);
	json_object *p = text ? json_tokener_parse(text) : NULL;
	char *result;

	if (!p)
		return NULL;
	if (a->groups.count && add_groups(p, &a->groups, err) < 0) {
		json_object_put(p);
		return NULL;
	}
	if (a->env.count)
		add_variables(member(p, "env", json_object_new_array), &a->env);
	if (a->capabilities.count)
		add_capabilities(p, &a->capabilities);
	if (a->no_new_privs)
		json_object_object_add(p, "noNewPrivileges", json_object_new_boolean(!strcmp(a->no_new_privs, "true")));
	if (a->apparmor)
		json_object_object_add(p, "apparmorProfile", json_object_new_string(a->apparmor));
	if (a->label)
		json_object_object_add(p, "selinuxLabel", json_object_new_string(a->label));
	result = xstrdup(json_object_to_json_string_ext(p, JSON_C_TO_STRING_PLAIN));
	json_object_put(p);
	return result;
}

static bool process_ended(void *data, int *ret_status)
{
	return waitpid(*(pid_t *)data, ret_status, WNOHANG) == *(pid_t *)data;
}

static void process_signal(void *data, int signal)
{
	kill(*(pid_t *)data, signal);
}

static int run(const struct oci *oci, struct container *c, struct exec_arguments *a)
{
	_cleanup_close_ int master = -1;
	struct oci_watched w = { .ended = process_ended, .signal = process_signal, .ready = -1 };
	struct error err = { 0 };
	sigset_t set;
	pid_t pid;

	w.data = &pid;
	if (!a->detach && !a->options.console_socket)
		a->options.ret_console = &master;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	if (runtime_exec(c, &a->options, &pid, &err) < 0) {
		oci_fail(oci, &err);
		return EXEC_FAILED;
	}
	oci_debug(oci, "container %s: process %d runs in it", a->id, pid);
	if (a->detach)
		return 0;
	return runtime_status_code(master >= 0 ? oci_relay_terminal(&w, master, &set)
					       : oci_watch(&w, &set));
}

int oci_exec(struct oci *oci, int argc, char **argv)
{
	_cleanup_(runtime_close_ptr) struct container *c = NULL;
	_cleanup_(arguments_free) struct exec_arguments a = { 0 };
	_cleanup_free_ char *process = NULL;
	struct error err = { 0 };

	if (parse_exec(oci, argc, argv, &a) != 0)
		return 1;
	if (runtime_open(oci->root, a.id, &c, &err) < 0) {
		oci_fail(oci, &err);
		return EXEC_FAILED;
	}
	process = a.process_file ? oci_read_file(a.process_file, &err) : make_process(c, &a, &err);
	if (!process) {
		oci_fail(oci, &err);
		return EXEC_FAILED;
	}
	a.options.process = process;
	return run(oci, c, &a);
}
