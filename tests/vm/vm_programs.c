// SPDX-License-Identifier: Apache-2.0
/*
 * Asks the verifier of the running kernel about every BPF program of an object: those that it takes
 * in one go (each load reads all types of the kernel, which takes an emulated processor most of a
 * second), the others one by one.
 *
 *	vm_programs OBJECT [LOG_DIRECTORY]
 *
 * Prints a line for each program, fields split by tabs: name, section, "attached", "loaded" (its
 * section names no target, so user space attaches it) or "refused load" or "refused attach", errno name or
 * "-", instructions, verified instructions (0 = the kernel does not tell), the reason. The verifier's
 * log of each refused program goes to LOG_DIRECTORY/NAME.log. Exits 0 when every program was asked, 1
 * when the object cannot be opened.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

enum { LOG_BYTES = 1 << 20, MOST_PROGRAMS = 128, MOST_REFUSED = 4 };

struct verdict {
	const char *state;
	int error;
	unsigned instructions, verified;
	char reason[256];
};

static int ignore_messages(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The line that tells most: the last one of the verifier that is not its statistics. */
static void pick_reason(const char *log, char *reason, size_t size)
{
	const char *line = log, *best = NULL;
	size_t best_length = 0;

	while (*line) {
		size_t length = strcspn(line, "\n");

		if (length && strncmp(line, "processed ", 10) != 0) {
			best = line;
			best_length = length;
		}
		line += length + (line[length] == '\n');
	}
	snprintf(reason, size, "%.*s", (int)best_length, best ? best : "");
	for (char *c = reason; *c; c++) {
		if (*c == '\t' || *c == '|')
			*c = ' ';
	}
}

static void keep_log(const char *directory, const char *name, const char *log)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.log", directory, name);
	file = fopen(path, "w");
	if (!file)
		return;
	fputs(log, file);
	fclose(file);
}

static void count_instructions(const struct bpf_program *program, struct verdict *verdict)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	verdict->instructions = bpf_program__insn_cnt(program);
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0)
		verdict->verified = info.verified_insns;
}

/* A section such as "fentry" without a target is for user space to complete. */
static int has_target(const struct bpf_program *program)
{
	const char *slash = strchr(bpf_program__section_name(program), '/');

	return slash && slash[1];
}

/* Of a program that is loaded: what the verifier says of it, and whether it can be attached. */
static void judge_loaded(struct bpf_program *program, struct verdict *verdict)
{
	struct bpf_link *link;

	count_instructions(program, verdict);
	verdict->state = "loaded";
	link = has_target(program) ? bpf_program__attach(program) : NULL;
	if (has_target(program)) {
		verdict->error = link ? 0 : errno;
		verdict->state = link ? "attached" : "refused attach";
	}
	bpf_link__destroy(link);
}

static void print_verdict(const struct bpf_program *program, const struct verdict *verdict)
{
	printf("%s\t%s\t%s\t%s\t%u\t%u\t%s\n", bpf_program__name(program), bpf_program__section_name(program),
		verdict->state, verdict->error ? strerrorname_np(verdict->error) ?: "ENOTSUPP" : "-",
		verdict->instructions, verdict->verified, verdict->reason);
	fflush(stdout);
}

static void try_program(struct bpf_object *object, struct bpf_program *program, struct verdict *verdict,
	const char *log_directory)
{
	char *log = calloc(1, LOG_BYTES);

	if (!log) {
		verdict->error = ENOMEM;
		return;
	}
	bpf_program__set_autoload(program, true);
	bpf_program__set_log_buf(program, log, LOG_BYTES);
	verdict->error = -bpf_object__load(object);
	if (verdict->error) {
		verdict->state = "refused load";
		pick_reason(log, verdict->reason, sizeof(verdict->reason));
		if (log_directory)
			keep_log(log_directory, bpf_program__name(program), log);
		free(log);
		return;
	}
	judge_loaded(program, verdict);
	free(log);
}

/* Opens the object anew, so that what one program did to it does not matter to the next. */
static int try_index(const char *path, int index, const char *log_directory)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program, *chosen = NULL;
	struct verdict verdict = { .state = "refused load" };
	int i = 0;

	if (!object) {
		fprintf(stderr, "vm_programs: cannot open %s: %s\n", path, strerror(errno));
		return -1;
	}
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, false);
		if (i++ == index)
			chosen = program;
	}
	if (!chosen) {
		bpf_object__close(object);
		return 0;
	}
	try_program(object, chosen, &verdict, log_directory);
	print_verdict(chosen, &verdict);
	bpf_object__close(object);
	return 1;
}

/* Opens the object with a log for each program that is not refused. */
static struct bpf_object *open_together(const char *path, const bool *refused, char **logs)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int i = 0;

	if (!object)
		return NULL;
	bpf_object__for_each_program(program, object) {
		if (i == MOST_PROGRAMS)
			break;
		bpf_program__set_autoload(program, !refused[i]);
		if (!logs[i])
			logs[i] = calloc(1, LOG_BYTES);
		if (logs[i])
			logs[i][0] = '\0';
		bpf_program__set_log_buf(program, logs[i], logs[i] ? LOG_BYTES : 0);
		i++;
	}
	return object;
}

/* The program whose load failed: libbpf asks for a log only then. -1: none has one. */
static int find_culprit(const bool *refused, char *const *logs)
{
	for (int i = 0; i < MOST_PROGRAMS; i++) {
		if (!refused[i] && logs[i] && logs[i][0])
			return i;
	}
	return -1;
}

/* Everything that can be loaded, loaded; refused tells what cannot. NULL: it takes too many turns to tell. */
static struct bpf_object *load_together(const char *path, bool *refused)
{
	char *logs[MOST_PROGRAMS] = { NULL };
	struct bpf_object *object = NULL;

	for (int turn = 0; turn <= MOST_REFUSED; turn++) {
		int culprit;

		object = open_together(path, refused, logs);
		if (!object || bpf_object__load(object) == 0)
			break;
		bpf_object__close(object);
		object = NULL;
		culprit = find_culprit(refused, logs);
		if (culprit < 0)
			break;
		refused[culprit] = true;
	}
	for (int i = 0; i < MOST_PROGRAMS; i++)
		free(logs[i]);
	return object;
}

/* The verdicts in the object's order. The one on a program that is refused is asked for again, alone. */
static int print_together(struct bpf_object *object, const char *path, const bool *refused, const char *log_directory)
{
	struct bpf_program *program;
	int i = 0;

	bpf_object__for_each_program(program, object) {
		struct verdict verdict = { 0 };

		if (i >= MOST_PROGRAMS || refused[i]) {
			if (try_index(path, i, log_directory) < 0)
				return -1;
		} else {
			judge_loaded(program, &verdict);
			print_verdict(program, &verdict);
		}
		i++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool refused[MOST_PROGRAMS] = { false };
	struct bpf_object *together;
	int result = 1;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: vm_programs OBJECT [LOG_DIRECTORY]\n");
		return 2;
	}
	libbpf_set_print(ignore_messages);
	together = load_together(argv[1], refused);
	if (together) {
		result = print_together(together, argv[1], refused, argv[2]);
		bpf_object__close(together);
	}
	for (int i = 0; result == 1; i++)
		result = try_index(argv[1], i, argv[2]);
	return result < 0 ? 1 : 0;
}
