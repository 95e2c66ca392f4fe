/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/group.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* also: docker's further names, with blanks between them, or NULL. command: ctrace's plain command for it; option: what that is
 * given first, or NULL. */
struct member {
	const char *name, *also, *command, *option, *summary;
};

static const struct member container[] = {
	{ "attach", NULL, "attach", NULL, "connect to a running container" },
	{ "cp", NULL, "cp", NULL, "copy files between a container and this host" },
	{ "create", NULL, "create", NULL, "make a container that is started later" },
	{ "exec", NULL, "exec", NULL, "run a program in a running container" },
	{ "export", NULL, "export", NULL, "a container's root file system as a tar" },
	{ "inspect", NULL, "inspect", "--type=container", "settings and state of containers, as JSON" },
	{ "kill", NULL, "kill", NULL, "send a signal to containers" },
	{ "logs", NULL, "logs", NULL, "what a container printed" },
	{ "ls", "list ps", "ps", NULL, "list containers" },
	{ "pause", NULL, "pause", NULL, "freeze all processes of containers" },
	{ "port", NULL, "port", NULL, "where ports are published" },
	{ "prune", NULL, "prune", NULL, "remove containers that do not run" },
	{ "rename", NULL, "rename", NULL, "rename a container" },
	{ "restart", NULL, "restart", NULL, "stop containers and start them again" },
	{ "rm", "remove", "rm", NULL, "remove containers" },
	{ "run", NULL, "run", NULL, "run a container and show how it was made" },
	{ "start", NULL, "start", NULL, "start containers" },
	{ "stats", NULL, "stats", NULL, "what containers use of the machine" },
	{ "stop", NULL, "stop", NULL, "stop running containers" },
	{ "unpause", NULL, "unpause", NULL, "let paused containers go on" },
	{ "wait", NULL, "wait", NULL, "wait until containers have ended" },
};

static const struct member image[] = {
	{ "history", NULL, "history", NULL, "how an image was made, step by step" },
	{ "inspect", NULL, "inspect", "--type=image", "what an image is made of, as JSON" },
	{ "ls", "list", "images", NULL, "list local images" },
	{ "load", NULL, "load", NULL, "bring the images of a tar into the store" },
	{ "prune", NULL, "image_prune", NULL, "remove images that have no name and no container" },
	{ "pull", NULL, "pull", NULL, "fetch an image from a registry" },
	{ "rm", "remove", "rmi", NULL, "remove local images" },
	{ "save", NULL, "save", NULL, "write images as a tar" },
	{ "tag", NULL, "tag", NULL, "give an image one more name" },
};

static const struct member system_group[] = {
	{ "df", NULL, "system_df", NULL, "how much images, containers and volumes take" },
	{ "prune", NULL, "prune", "--images", "remove containers that do not run and images without a name" },
};

static const struct group {
	const char *name;
	const struct member *members;
	size_t count;
} groups[] = {
	{ "container", container, ARRAY_SIZE(container) },
	{ "image", image, ARRAY_SIZE(image) },
	{ "system", system_group, ARRAY_SIZE(system_group) },
};

static const struct member *find(const struct group *g, const char *word)
{
	for (size_t i = 0; i < g->count; i++) {
		if (!strcmp(g->members[i].name, word) || str_has_word(g->members[i].also, " ", word))
			return &g->members[i];
	}
	return NULL;
}

void group_resolve(int *argc, char **argv)
{
	const struct member *m = NULL;
	int n = 1;

	for (size_t i = 0; *argc > 2 && i < ARRAY_SIZE(groups); i++) {
		if (!strcmp(groups[i].name, argv[1]))
			m = find(&groups[i], argv[2]);
	}
	if (!m)
		return;
	argv[n++] = (char *)m->command;
	if (m->option)
		argv[n++] = (char *)m->option;
	for (int i = 3; i <= *argc; i++) /* with the NULL at the end */
		argv[n++] = argv[i];
	*argc = n - 1;
}

/* What is left to the command of that name: help, and words that are none of its. */
static int tell(const struct group *g, int argc, char **argv)
{
	bool asked = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	FILE *out = asked ? stdout : stderr;

	if (argc > 1 && !asked)
		fprintf(out, "ctrace %s: unknown command: %s\n", g->name, argv[1]);
	fprintf(out, "Usage: ctrace %s COMMAND [OPTIONS]\n\nCommands:\n", g->name);
	for (size_t i = 0; i < g->count; i++)
		fprintf(out, "  %-9s %s\n", g->members[i].name, g->members[i].summary);
	fprintf(out, "\nctrace %s COMMAND --help tells more about a command.\n", g->name);
	return argc > 1 && !asked; /* as docker: to ask for nothing is no error */
}

int cmd_container(int argc, char **argv)
{
	return tell(&groups[0], argc, argv);
}

int cmd_image(int argc, char **argv)
{
	return tell(&groups[1], argc, argv);
}

int cmd_system(int argc, char **argv)
{
	return tell(&groups[2], argc, argv);
}
