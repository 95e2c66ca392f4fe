/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace inspect: what the launcher knows of its own containers; what runs, whatever made it, is told by
 * ctrace-trace, which is executed for it. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/inspect_image.h"
#include "cmd/inspect_record.h"
#include "cmd/template.h"
#include "cmd/volume_use.h"
#include "engine/container_size.h"
#include "engine/control.h"
#include "engine/registry.h"
#include "engine/store.h"
#include "engine/volumes.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_TYPE = 256, EXIT_TEMPLATE = 64 }; /* docker's exit code */
enum object_type { TYPE_ANY, TYPE_CONTAINER, TYPE_IMAGE, TYPE_VOLUME };

struct arguments {
	char **names;
	int count;
	bool json, size;
	enum object_type type;
	const char *format;
};

static const struct argp_option options[] = {
	{ "format", 'f', "json|TEMPLATE", 0,
		"The settings and state of a container of ctrace run, of an image or a volume, in docker's shape", 0 },
	{ "json", 'j', NULL, 0, "What a running container is made of, as a JSON object a line", 0 },
	{ "size", 's', NULL, 0, "With --format: also SizeRw and SizeRootFs of a container, which are measured", 0 },
	{ "type", OPTION_TYPE, "TYPE", 0, "In docker's shape, too: a container, an image or a volume of that name", 0 },
	{ 0 },
};

static bool set_type(struct arguments *a, const char *name)
{
	static const char *const names[] = { "", "container", "image", "volume" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		a->type = (enum object_type)i;
		return true;
	}
	return false;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'f': a->format = value; return 0;
	case 'j': a->json = true; return 0;
	case 's': a->size = true; return 0;
	case OPTION_TYPE:
		if (!set_type(a, value)) {
			_cleanup_free_ char *text = xasprintf("unknown type: \"%s\": it is container, image or volume", value);

			command_wrong_arguments(state, text);
		}
		return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		command_wrong_arguments(state, "which container? an id, a pid, a name, or how one of them begins");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { options, parse_option, "ID|PID|NAME...",
	"Shows what a running container is made of, whatever runtime made it: namespaces (its own or shared, and "
	"with whom), cgroups with limits and use, layers, network. Asks the kernel, no daemon. With --format, and for "
	"containers that have ended: what ctrace run was told, and what became of it.\v"
	"Examples:\n"
	"  ctrace inspect web\n"
	"  ctrace inspect --json 8857 | jq .namespaces\n"
	"  ctrace inspect -f '{{.State.ExitCode}}' web\n", NULL, NULL, NULL };

static int print_all(const struct arguments *a, json_object *all, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	int r = 0;

	if (!a->format || !strcmp(a->format, "json")) {
		template_json(&out, all, json_object_array_length(all) ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN);
		puts(out.text);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < json_object_array_length(all); i++) {
		r = template_print(a->format, json_object_array_get_idx(all, i), &out, err);
		strbuf_putc(&out, '\n');
	}
	if (r == 0)
		fputs(out.text ? out.text : "", stdout);
	return r;
}

/* ---- in docker's shape: -ENOENT where there is none of that name ---- */

static int find_container(const struct arguments *a, const char *name, json_object **ret, struct error *err)
{
	_cleanup_(state_free) struct state s = { 0 };
	uint64_t own, all;
	int r = registry_find(name, &s, err);

	if (r == 0 && a->size)
		r = container_size(&s, &own, &all, err);
	if (r < 0)
		return r;
	*ret = inspect_record_json(&s);
	if (a->size) {
		json_object_object_add(*ret, "SizeRw", json_object_new_int64((int64_t)own));
		json_object_object_add(*ret, "SizeRootFs", json_object_new_int64((int64_t)all));
	}
	return 0;
}

/* named: not by its id alone. */
static int find_image(const char *name, bool named, json_object **ret, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_(store_image_free) struct store_image image = { 0 };
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = store_find(store, name, NULL, &image, err);
	if (r < 0)
		return r;
	if (named && !*image.reference)
		return -ENOENT;
	*ret = inspect_image_json(store, &image);
	return 0;
}

static int find_volume(const char *name, json_object **ret, struct error *err)
{
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_(volume_free) struct named_volume v = { 0 };
	int r = store_open(NULL, &store, err);

	if (r == 0)
		r = volume_find(store_root(store), name, &v, err);
	if (r == 0)
		*ret = volume_json(&v);
	return r;
}

/* As docker does, it looks among containers first, then images, then volumes. What is no name of the one may be of the other. */
static int find_any(const struct arguments *a, const char *name, json_object **ret, struct error *err)
{
	if (find_container(a, name, ret, err) == 0)
		return 0;
	if (strncmp(err->text, "No such container", 17) != 0)
		return -EINVAL;
	if (find_image(name, false, ret, NULL) == 0 || find_volume(name, ret, NULL) == 0)
		return 0;
	return error_set(err, ENOENT, "No such object: %s", name);
}

static int find(const struct arguments *a, const char *name, json_object **ret, struct error *err)
{
	switch (a->type) {
	case TYPE_CONTAINER: return find_container(a, name, ret, err);
	case TYPE_IMAGE: return find_image(name, false, ret, err);
	case TYPE_VOLUME: return find_volume(name, ret, err);
	default: return find_any(a, name, ret, err);
	}
}

/* ---- in words ---- */

/* Not to return, but for an error. */
static int execute_running(const struct arguments *a, const char *what, struct error *err)
{
	char *name = (char *)what, *argv[] = { "ctrace", "inspect_running", a->json ? "--json" : "--", a->json ? "--" : name,
		a->json ? name : NULL, NULL };
	char path[PATH_MAX];
	int r = command_program_path("ctrace-trace", path, sizeof(path), err);

	if (r < 0)
		return r;
	execv(path, argv);
	return error_errno(err, errno, "cannot execute %s", path);
}

/* One container without --format: as a picture of what runs, or of what was. */
static int show_one(const struct arguments *a, const char *name, struct error *err)
{
	_cleanup_(state_free) struct state s = { 0 };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	json_object *o;

	if (registry_find(name, &s, NULL) < 0 && geteuid() == 0 && !a->json && find_image(name, true, &o, NULL) == 0) {
		json_object *all = json_object_new_array();
		int r;

		json_object_array_add(all, o);
		r = print_all(a, all, err);
		json_object_put(all);
		return r;
	}
	if (!s.id[0])
		return execute_running(a, name, err);
	if (control_is_running(&s))
		return execute_running(a, s.id, err);
	if (!a->json) {
		inspect_record_text(&s, &out);
		fputs(out.text, stdout);
		return 0;
	}
	o = inspect_record_json(&s);
	template_json(&out, o, JSON_C_TO_STRING_PLAIN);
	puts(out.text);
	json_object_put(o);
	return 0;
}

/* With --json an object a line, each by a process of its own: another program knows those that run. */
static int show_each(const struct arguments *a)
{
	int code = 0;

	for (int i = 0; i < a->count; i++) {
		pid_t pid = fork();
		int status = 0;

		if (pid == 0) {
			struct error err = { 0 };
			int r = show_one(a, a->names[i], &err) < 0 ? command_fail("inspect", 1, &err) : 0;

			fflush(stdout);
			_exit(r);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
			code = 1;
	}
	return code;
}

static int show_records(const struct arguments *a)
{
	json_object *all = json_object_new_array();
	struct error err = { 0 };
	int code = 0, r;

	for (int i = 0; i < a->count; i++) {
		json_object *o;

		if (find(a, a->names[i], &o, &err) == 0)
			json_object_array_add(all, o);
		else
			code = command_fail("inspect", 1, &err);
	}
	r = print_all(a, all, &err);
	if (r < 0)
		code = command_fail("inspect", r == -EINVAL ? EXIT_TEMPLATE : 1, &err);
	json_object_put(all);
	return code;
}

int cmd_inspect(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct error err = { 0 };

	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (geteuid() == 0) {
		int code = engine_command_begin("inspect");

		if (code)
			return code;
	}
	if (!a.format && a.json && a.count > 1)
		return show_each(&a);
	if (a.format || a.size || a.type != TYPE_ANY || a.count > 1)
		return show_records(&a);
	return show_one(&a, a.names[0], &err) < 0 ? command_fail("inspect", 1, &err) : 0;
}
