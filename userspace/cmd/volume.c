/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace volume create, ls, inspect, rm, prune. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "cmd/engine_command.h"
#include "cmd/listing.h"
#include "cmd/template.h"
#include "cmd/volume_use.h"
#include "cmd/words.h"
#include "engine/registry.h"
#include "engine/store.h"
#include "engine/volumes.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { OPTION_LABEL = 256, OPTION_FORMAT, OPTION_DRIVER, OPTION_OPT };

struct arguments {
	char **names;
	int count;
	bool quiet, force, all, inspects;
	const char *format;
	struct string_list labels, filters;
};

static const struct argp_option inspect_options[] = {
	{ "format", 'f', "FORMAT", 0, "json, or a template", 0 }, { 0 } };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (key) {
	case 'q': a->quiet = true; return 0;
	case 'a': a->all = true; return 0;
	case 'f': /* --force of rm and prune, --filter of ls, --format of inspect */
		if (a->inspects)
			a->format = value;
		else if (value)
			string_list_add(&a->filters, xstrdup(value));
		else
			a->force = true;
		return 0;
	case OPTION_FORMAT: a->format = value; return 0;
	case OPTION_LABEL:
		string_list_add(&a->labels, strchr(value, '=') ? xstrdup(value) : xasprintf("%s=", value));
		return 0;
	case OPTION_DRIVER:
		if (strcmp(value, "local") != 0)
			argp_error(state, "--driver %s is not supported: local is", value);
		return 0;
	case OPTION_OPT: argp_error(state, "--opt is not supported"); return 0;
	case ARGP_KEY_ARGS:
		a->names = state->argv + state->next;
		a->count = state->argc - state->next;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int print_list(struct store *store, const struct arguments *a, struct error *err)
{
	static const struct listing_column columns[] = { { "Driver", "DRIVER", false },
		{ "Name", "VOLUME NAME", false }, { "Labels", "LABELS", true },
		{ "Mountpoint", "MOUNTPOINT", true }, { "Scope", "SCOPE", true } };
	struct listing listing = { .columns = columns, .column_count = ARRAY_SIZE(columns),
		.rows = json_object_new_array(), .labels = json_object_new_array() };
	char none[] = "";
	const struct named_volume nothing = { .name = none };
	struct named_volume *list = NULL;
	size_t count = 0;
	int r = volume_matches(&nothing, &a->filters, err); /* a filter that is wrong is told, whatever there is */

	if (r >= 0)
		r = volume_list(store_root(store), &list, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		json_object *row;

		r = volume_matches(&list[i], &a->filters, err);
		if (r <= 0)
			continue;
		r = 0;
		row = json_object_new_object();
		listing_add(row, "Driver", xstrdup("local"));
		listing_add(row, "Labels", volume_labels(&list[i]));
		listing_add(row, "Mountpoint", xstrdup(list[i].data));
		listing_add(row, "Name", xstrdup(list[i].name));
		listing_add(row, "Scope", xstrdup("local"));
		json_object_array_add(listing.rows, row);
		json_object_array_add(listing.labels, listing_pairs(&list[i].labels));
	}
	volume_list_free(list, count);
	if (r == 0)
		r = listing_print(&listing, listing_format(a->format, a->quiet, "{{.Name}}"), err);
	json_object_put(listing.rows);
	json_object_put(listing.labels);
	return r;
}

static int list(struct store *store, const struct arguments *a)
{
	struct error err = { 0 };

	return print_list(store, a, &err) < 0 ? command_fail("volume ls", 1, &err) : 0;
}

static int create(struct store *store, const struct arguments *a)
{
	_cleanup_(volume_free) struct named_volume v = { 0 };
	struct error err = { 0 };
	bool made;

	if (a->count > 1 || (a->count && !volume_name_is_valid(a->names[0]))) {
		error_set(&err, EINVAL, "create %s: \"%s\" includes invalid characters for a local volume name, only "
			"\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed", a->names[0], a->names[0]);
		return command_fail("volume create", a->count > 1 ? EXIT_CTRACE : 1, &err);
	}
	if (volume_make(store_root(store), a->count ? a->names[0] : NULL, &a->labels, &v, &made, &err) < 0)
		return command_fail("volume create", 1, &err);
	printf("%s\n", v.name);
	return 0;
}

static int inspect(struct store *store, const struct arguments *a)
{
	json_object *all = json_object_new_array();
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	struct error err = { 0 };
	int code = 0;

	for (int i = 0; i < a->count; i++) {
		_cleanup_(volume_free) struct named_volume v = { 0 };

		if (volume_find(store_root(store), a->names[i], &v, &err) < 0)
			code = command_fail("volume inspect", 1, &err);
		else
			json_object_array_add(all, volume_json(&v));
	}
	for (size_t i = 0; a->format && strcmp(a->format, "json") != 0 && i < json_object_array_length(all); i++) {
		if (template_print(a->format, json_object_array_get_idx(all, i), &out, &err) < 0)
			code = command_fail("volume inspect", 1, &err);
		strbuf_putc(&out, '\n');
	}
	if (!a->format || !strcmp(a->format, "json")) {
		template_json(&out, all, json_object_array_length(all) ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN);
		strbuf_putc(&out, '\n');
	}
	fputs(out.text ? out.text : "", stdout);
	json_object_put(all);
	return code;
}

static int remove_one(struct store *store, const char *name, struct error *err)
{
	_cleanup_(volume_free) struct named_volume v = { 0 };
	int r = volume_find(store_root(store), name, &v, err);

	return r < 0 ? r : volume_remove_unused(store_root(store), name, err);
}

static int remove_all(struct store *store, const struct arguments *a)
{
	int code = 0;

	for (int i = 0; i < a->count; i++) {
		struct error err = { 0 };
		int r = remove_one(store, a->names[i], &err);

		if (r == -ENOENT && a->force)
			r = 0;
		if (r < 0)
			code = command_fail("volume rm", 1, &err);
		else
			printf("%s\n", a->names[i]);
	}
	return code;
}

static int prune(struct store *store, const struct arguments *a)
{
	struct error err = { 0 };

	if (!a->force) {
		error_set(&err, EINVAL, "it asks nothing and removes at once: say so with -f");
		return command_fail("volume prune", 1, &err);
	}
	return volume_prune(store_root(store), a->all, &err) < 0 ? command_fail("volume prune", 1, &err) : 0;
}

static const struct argp_option create_options[] = {
	{ "label", OPTION_LABEL, "NAME[=VALUE]", 0, "Set a label", 0 },
	{ "driver", OPTION_DRIVER, "DRIVER", 0, "local", 0 },
	{ "opt", OPTION_OPT, "OPTION", OPTION_HIDDEN, NULL, 0 }, { 0 } };
static const struct argp_option list_options[] = {
	{ "quiet", 'q', NULL, 0, "Print names only", 0 },
	{ "filter", 'f', "KEY=VALUE", 0, "name, label, dangling", 0 },
	{ "format", OPTION_FORMAT, "FORMAT", 0, "table, json, or a template", 0 }, { 0 } };
static const struct argp_option remove_options[] = {
	{ "force", 'f', NULL, 0, "One that does not exist is no error", 0 }, { 0 } };
static const struct argp_option prune_options[] = {
	{ "force", 'f', NULL, 0, "Yes, do it", 0 },
	{ "all", 'a', NULL, 0, "Also those that have a name", 0 }, { 0 } };

static const struct verb {
	const char *name, *also;
	int least; /* arguments */
	const struct argp_option *options;
	const char *args, *help;
	int (*run)(struct store *store, const struct arguments *a);
} verbs[] = {
	{ "create", NULL, 0, create_options, "[NAME]", "Make a volume.", create },
	{ "ls", "list", 0, list_options, NULL, "List volumes.", list },
	{ "inspect", NULL, 1, inspect_options, "VOLUME...", "Show volumes as JSON.", inspect },
	{ "rm", "remove", 1, remove_options, "VOLUME...", "Remove volumes that no container uses.", remove_all },
	{ "prune", NULL, 0, prune_options, NULL, "Remove volumes without a name that no container uses.", prune },
};

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	const struct argp argp = { verb->options, parse_option, verb->args, verb->help, NULL, NULL, NULL };
	_cleanup_(cleanup_store) struct store *store = NULL;
	_cleanup_free_ char *name = xasprintf("ctrace volume %s", verb->name);
	struct arguments a = { 0 };
	struct error err = { 0 };
	int code;

	argv[0] = name;
	a.inspects = verb->run == inspect;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EXIT_CTRACE;
	if (a.count < verb->least) {
		fprintf(stderr, "%s: it requires at least %d argument: a volume\n", name, verb->least);
		return 1;
	}
	code = engine_command_begin("volume");
	if (code)
		return code;
	if (store_open(NULL, &store, &err) < 0)
		return command_fail("volume", 1, &err);
	code = verb->run(store, &a);
	string_list_free(&a.labels);
	string_list_free(&a.filters);
	return code;
}

int cmd_volume(int argc, char **argv)
{
	bool asked = argc > 1 && !strcmp(argv[1], "--help");
	FILE *out = asked ? stdout : stderr;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(argv[1], verbs[i].name) || (verbs[i].also && !strcmp(argv[1], verbs[i].also)))
			return run_verb(&verbs[i], argc - 1, argv + 1);
	}
	if (argc > 1 && !asked)
		fprintf(out, "ctrace volume: unknown command: %s\n", argv[1]);
	fputs("Usage: ctrace volume create|ls|inspect|rm|prune [OPTIONS]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	return argc > 1 && !asked; /* as docker: to ask for nothing is no error */
}
