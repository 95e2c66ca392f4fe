/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace version: docker's client and server, which are one program here. */
#include <argp.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/command.h"
#include "cmd/listing.h"
#include "cmd/template.h"
#include "engine/image/platform.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	const char **format = state->input;

	switch (key) {
	case 'f': *format = value; return 0;
	case ARGP_KEY_ARG: command_wrong_arguments(state, "it accepts no arguments"); return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "format", 'f', "FORMAT", 0, "json, or a template such as '{{.Server.Version}}'", 0 },
	{ 0 },
};

static const struct argp argp = {
	options, parse_option, NULL,
	"Show which ctrace this is, and what it runs on.\vExamples:\n"
	"  ctrace version\n"
	"  ctrace version --format '{{.Server.Version}}'",
	NULL, NULL, NULL,
};

/* What client and server have in common; the commit is behind the release: "0.1.0+g1234567". */
static json_object *describe(void)
{
	json_object *o = json_object_new_object();
	const char *commit = strstr(ctrace_version, "+g");
	struct platform platform = { 0 };
	struct utsname host;

	platform_parse(NULL, &platform, NULL);
	uname(&host);
	listing_add(o, "Version", xstrdup(ctrace_version));
	listing_add(o, "GitCommit", xstrdup(commit ? commit + strlen("+g") : ""));
	listing_add(o, "Os", xstrdup(platform.os));
	listing_add(o, "Arch", xstrdup(platform.architecture));
	listing_add(o, "KernelVersion", xstrdup(host.release));
	return o;
}

static json_object *describe_both(void)
{
	json_object *both = json_object_new_object(), *server = describe();
	json_object *components = json_object_new_array(), *engine = json_object_new_object();

	listing_add(engine, "Name", xstrdup("Engine"));
	listing_add(engine, "Version", xstrdup(ctrace_version));
	json_object_array_add(components, engine);
	json_object_object_add(server, "Components", components);
	json_object_object_add(both, "Client", describe());
	json_object_object_add(both, "Server", server);
	return both;
}

static const char *member(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static void print_side(json_object *side, const char *indent)
{
	printf("%sVersion:           %s\n", indent, member(side, "Version"));
	printf("%sGit commit:        %s\n", indent, member(side, "GitCommit"));
	printf("%sOS/Arch:           %s/%s\n", indent, member(side, "Os"), member(side, "Arch"));
}

static void print_text(json_object *both)
{
	json_object *server = json_object_object_get(both, "Server");

	puts("Client:");
	print_side(json_object_object_get(both, "Client"), " ");
	puts("\nServer: the same program, there is no daemon\n Engine:");
	print_side(server, "  ");
	printf("  Kernel version:    %s\n", member(server, "KernelVersion"));
}

static int print_format(json_object *both, const char *format, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	int r = template_print(!strcmp(format, "json") ? "{{json .}}" : format, both, &out, err);

	if (r == 0)
		puts(out.text ? out.text : "");
	return r;
}

int cmd_version(int argc, char **argv)
{
	const char *format = NULL;
	struct error err = { 0 };
	json_object *both;
	int r = 0;

	if (argp_parse(&argp, argc, argv, 0, NULL, &format) != 0)
		return EXIT_CTRACE;
	both = describe_both();
	if (format)
		r = print_format(both, format, &err);
	else
		print_text(both);
	json_object_put(both);
	return r < 0 ? command_fail("version", 1, &err) : 0;
}
