/* SPDX-License-Identifier: Apache-2.0 */
/* A table instead of argp: options must stop at IMAGE, and errors must read as docker's. */
#include "cmd/run_options.h"

#include <errno.h>
#include <string.h>

#include "cmd/run_option_table.h"
#include "util/array.h"
#include "util/cleanup.h"

/* What docker run has beyond these; a separate error saves the search for a typing mistake. */
static const char *const docker_only[] = {
	"blkio-weight-device", "cpu-count", "cpu-percent", "cpu-rt-period", "cpu-rt-runtime",
	"device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops",
	"gpus", "health-cmd", "health-interval", "health-retries", "health-start-interval",
	"health-start-period", "health-timeout", "io-maxbandwidth", "io-maxiops", "ip", "ip6",
	"isolation", "kernel-memory", "link", "link-local-ip",
	"log-opt", "mac-address", "net-alias", "network-alias",
	"runtime", "storage-opt", "use-api-socket", "volume-driver" };

/* What makes no sense without a start, and is no option of ctrace create. */
static const char *const run_only[] = { "bundle", "detach", "detach-keys", "detach-trace", "for-tui", "json", "record",
	"sig-proxy", "trace", "tui" };

struct parser {
	const char *command; /* "run" or "create" */
	char **next;         /* the word behind the one that is being read */
	struct run_settings *settings;
	const struct option_row *not_for_bundle; /* the first such option that was given */
};

static bool is_option_of(const char *command, const struct option_row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(run_only); i++) {
		if (!strcmp(row->name, run_only[i]))
			return !strcmp(command, "run");
	}
	return true;
}

static const struct option_row *find_name(const struct parser *p, const char *name, size_t length)
{
	for (size_t i = 0; i < run_option_count; i++) {
		const struct option_row *row = &run_option_rows[i];

		if (strlen(row->name) == length && !memcmp(row->name, name, length) && is_option_of(p->command, row))
			return row;
	}
	return NULL;
}

static const struct option_row *find_letter(const struct parser *p, char letter)
{
	for (size_t i = 0; i < run_option_count; i++) {
		if (run_option_rows[i].letter == letter && is_option_of(p->command, &run_option_rows[i]))
			return &run_option_rows[i];
	}
	return NULL;
}

static int unknown_name(const struct parser *p, const char *name, size_t length, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(docker_only); i++) {
		if (strlen(docker_only[i]) == length && !memcmp(docker_only[i], name, length))
			return error_set(err, EOPNOTSUPP, "docker's option --%s is not supported by "
				"ctrace %s; see 'ctrace %s --help'", docker_only[i], p->command, p->command);
	}
	return error_set(err, EINVAL, "unknown flag: --%.*s; see 'ctrace %s --help'", (int)length, name,
		p->command);
}

static int unknown_letter(const struct parser *p, char letter, const char *word, struct error *err)
{
	return error_set(err, EINVAL, "unknown shorthand flag: '%c' in %s; see 'ctrace %s --help'",
		letter, word, p->command);
}

static int apply(struct parser *p, const struct option_row *row, const char *value,
	struct error *err)
{
	int r = row->parse(p->settings, value, err);

	if (!row->bundle && !p->not_for_bundle)
		p->not_for_bundle = row;
	if (r >= 0)
		return 0;
	if (row->letter)
		return error_prefix(err, "invalid argument \"%s\" for \"-%c, --%s\" flag", value,
			row->letter, row->name);
	return error_prefix(err, "invalid argument \"%s\" for \"--%s\" flag", value, row->name);
}

static int parse_long(struct parser *p, const char *word, struct error *err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find_name(p, name, length);

	if (!row)
		return unknown_name(p, name, length, err);
	if (equals)
		return apply(p, row, equals + 1, err);
	if (row->kind == OPTION_FLAG)
		return apply(p, row, "true", err);
	if (!*p->next)
		return error_set(err, EINVAL, "flag needs an argument: --%s", row->name);
	return apply(p, row, *p->next++, err);
}

/* "-it", "-m256m", "-m=256m", "-m 256m", "-itv SRC:DST". */
static int parse_short(struct parser *p, const char *word, struct error *err)
{
	for (const char *c = word + 1; *c; c++) {
		const struct option_row *row = find_letter(p, *c);
		int r;

		if (!row)
			return unknown_letter(p, *c, word, err);
		if (row->kind == OPTION_VALUE) {
			if (c[1])
				return apply(p, row, c + 1 + (c[1] == '='), err);
			if (!*p->next)
				return error_set(err, EINVAL, "flag needs an argument: '%c' in %s", *c,
					word);
			return apply(p, row, *p->next++, err);
		}
		if (c[1] == '=')
			return apply(p, row, c + 2, err);
		r = apply(p, row, "true", err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_source(struct parser *p, struct error *err)
{
	struct run_settings *s = p->settings;

	if (!s->source) {
		if (!*p->next)
			return error_set(err, ENODATA, "\"ctrace %s\" requires at least 1 argument: the "
				"image; see 'ctrace %s --help'", p->command, p->command);
		if (!**p->next)
			return error_set(err, EINVAL, "invalid reference format: the image is empty");
		s->source = xstrdup(*p->next++);
	}
	if (s->source_type == SOURCE_BUNDLE && p->not_for_bundle)
		return error_set(err, EINVAL, "--%s has no effect on --bundle: %s/config.json says it",
			p->not_for_bundle->name, s->source);
	if (s->source_type == SOURCE_BUNDLE && *p->next)
		return error_set(err, EINVAL, "unexpected argument \"%s\": %s/config.json names the "
			"command", *p->next, s->source);
	for (; *p->next; p->next++)
		string_list_add(&s->args, xstrdup(*p->next));
	return 0;
}

int run_options_parse(const char *command, char **argv, struct run_settings *s, struct error *err)
{
	struct parser p = { .command = command, .next = argv + 1, .settings = s };
	int r = 0;

	while (r == 0 && *p.next && (*p.next)[0] == '-' && (*p.next)[1]) {
		const char *word = *p.next++;

		if (!strcmp(word, "--"))
			break;
		r = word[1] == '-' ? parse_long(&p, word, err) : parse_short(&p, word, err);
	}
	if (r < 0 || s->help)
		return r;
	if (s->tui && s->detach)
		return error_set(err, EINVAL, "Conflicting options: --tui and --detach");
	if (s->tui && s->detach_keys)
		return error_set(err, EINVAL, "Conflicting options: --tui and --detach-keys: ctrl-] and then q leave");
	if (s->tui && s->attach)
		return error_set(err, EINVAL, "Conflicting options: --tui and --attach");
	s->terminal |= s->tui;
	s->interactive |= s->tui;
	r = take_source(&p, err);
	return r < 0 ? r : run_settings_check(s, err);
}

static void print_row(const struct option_row *row, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument ? " " : "",
		row->argument ? row->argument : "");
	if (row->letter)
		fprintf(out, "  -%c, ", row->letter);
	else
		fputs("      ", out);
	fprintf(out, "%-30s %s\n", left, row->help);
}

static const char run_begin[] =
	"Usage: ctrace run [OPTIONS] IMAGE [COMMAND] [ARG...]\n"
	"       ctrace run [OPTIONS] --rootfs DIR COMMAND [ARG...]\n"
	"       ctrace run [OPTIONS] --bundle DIR\n\n"
	"Run a container and show how it was made. IMAGE is a reference as docker knows them,\n"
	"oci:DIR[:TAG] or docker-archive:FILE.\n\nOptions:\n";
static const char run_end[] =
	"\nThe exit code is the command's own; 125: ctrace failed, 126: the command cannot be\n"
	"executed, 127: it was not found, 128+n: signal n ended it. ctrl-p ctrl-q detaches,\n"
	"or --detach-keys: ctrl- and a letter, or a character, separated by commas.\n\n"
	"Examples:\n"
	"  ctrace run --memory 256m ubuntu\n"
	"  ctrace run -it --name shell -v \"$PWD\":/work -w /work debian bash\n"
	"  ctrace run --trace=full --json run.json alpine true\n"
	"  ctrace run --trace=none --rootfs ./rootfs /bin/sh -c 'id'\n";
static const char create_begin[] =
	"Usage: ctrace create [OPTIONS] IMAGE [COMMAND] [ARG...]\n"
	"       ctrace create [OPTIONS] --rootfs DIR COMMAND [ARG...]\n\n"
	"Make a container with the options of ctrace run, print its id, and do not start it:\n"
	"ctrace start does. IMAGE is a reference as docker knows them, oci:DIR[:TAG] or\n"
	"docker-archive:FILE.\n\nOptions:\n";
static const char create_end[] =
	"\nThe exit code is 0, 125 for an option that is wrong, or 1.\n\n"
	"Examples:\n"
	"  ctrace create --name web -p 8080:80 nginx && ctrace start web\n"
	"  ctrace start -a $(ctrace create --rm debian date)\n";

void run_options_help(const char *command, FILE *out)
{
	bool create = !strcmp(command, "create");

	fputs(create ? create_begin : run_begin, out);
	for (size_t i = 0; i < run_option_count; i++) {
		if (run_option_rows[i].help && is_option_of(command, &run_option_rows[i]))
			print_row(&run_option_rows[i], out);
	}
	fputs(create ? create_end : run_end, out);
}
