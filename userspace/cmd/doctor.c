/* SPDX-License-Identifier: Apache-2.0 */
/* ctrace doctor: what this kernel lets ctrace see, which hooks were chosen, what is missing and why. */
#include <argp.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/capture.h"
#include "capture/facts_internal.h"
#include "capture/refusal.h"
#include "cmd/command.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "Print one JSON object", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	(void)arg;
	if (key == 'j') {
		*json = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp parser = {
	.options = option_table,
	.parser = parse_option,
	.doc = "Tell what this kernel lets ctrace see, what it does not, and why.\v"
	       "The exit code is 0 when containers can be traced, and 1 when they cannot.",
};

static void print_escaped(const char *text)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };

	strbuf_escape(&sb, text, strlen(text));
	fputs(sb.text ? sb.text : "", stdout);
}

/* "tracing works": what a person wants to know first. */
static void print_summary(const struct facts *facts)
{
	printf("Containers can be traced on this host.\n\n");
	printf("  host      ");
	print_escaped(facts->hostname);
	printf("\n  kernel    %s %s, %" PRIu32 " cpus, lockdown %s\n", facts->kernel, facts->machine, facts->cpus,
		facts->lockdown);
	printf("  cgroups   %s", facts->cgroup_mode);
	for (size_t i = 0; i < facts->timeline.hierarchy_count; i++) {
		if (facts->timeline.hierarchies[i].id == facts->timeline.cgroup_hierarchy)
			printf(", containers are told apart by hierarchy %" PRIu32 " (%s)",
				facts->timeline.hierarchies[i].id,
				facts->timeline.hierarchies[i].id ? facts->timeline.hierarchies[i].controllers : "v2");
	}
	printf("\n  ctrace    %s\n", facts->ctrace_version);
}

static const char *state_words(enum hook_state state)
{
	switch (state) {
	case HOOK_ATTACHED:
		return "always on";
	case HOOK_ARMABLE:
		return "on demand";
	case HOOK_FALLBACK:
		return "not needed";
	case HOOK_REFUSED:
		return "refused";
	case HOOK_ABSENT:
		return "absent";
	}
	return "unknown";
}

static void print_hooks(const struct facts *facts)
{
	bool pays_for_calls = false;

	printf("\nHooks\n");
	for (size_t i = 0; i < facts->hook_count; i++) {
		const struct hook_fact *hook = &facts->hooks[i];

		pays_for_calls |= hook->state == HOOK_ARMABLE && !strcmp(hook->hook, "tp_btf/sys_enter");
		printf("  %-10s  %-44s  %s%s%s\n", state_words(hook->state), hook->job, hook->hook,
			hook->reason[0] ? ": " : "", hook->reason);
	}
	printf("\n  \"on demand\": attached only while containers are made, changed or torn down,\n"
	       "  since it makes every %s of the host slower; an idle host pays nothing.\n",
		pays_for_calls ? "system call" : "switch between tasks");
}

static void print_unseen(const struct facts *facts)
{
	printf("\nWhat cannot be seen\n");
	for (size_t i = 0; i < facts->unseen_count; i++)
		printf("  - %s\n      %s\n", facts->unseen[i].what, facts->unseen[i].why);
}

static int print_json(const struct facts *facts, const struct error *err)
{
	struct json_object *object = facts ? facts_to_json(facts) : json_object_new_object();

	json_object_object_add(object, "usable", json_object_new_boolean(facts != NULL));
	if (!facts)
		json_object_object_add(object, "reason", json_object_new_string(err->text));
	printf("%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return facts ? 0 : 1;
}

static void print_privilege(void)
{
	switch (refusal_of_privilege()) {
	case REFUSAL_USER_NAMESPACE:
		printf("  - privilege: root of a user namespace only, which the kernel does not let trace\n");
		break;
	case REFUSAL_CAP_BPF:
		printf("  - privilege: CAP_BPF is missing%s\n", geteuid() == 0 ? "" : ": try again with sudo");
		break;
	case REFUSAL_CAP_PERFMON: printf("  - privilege: CAP_PERFMON is missing\n"); break;
	case REFUSAL_NONE: printf("  - privilege: CAP_BPF and CAP_PERFMON are there\n"); break;
	}
	if (refusal_by_filter())
		printf("  - a seccomp filter is active: it has to allow bpf and perf_event_open\n");
}

/* What a person can do about it, beyond what the error says. */
static void print_advice(void)
{
	struct stat st;

	printf("\nWhat to check\n");
	print_privilege();
	printf("  - type information of the kernel: %s\n", stat("/sys/kernel/btf/vmlinux", &st) == 0 ?
		"present" : "/sys/kernel/btf/vmlinux is missing: boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
	printf("  - in a container? tracing needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE on the host, and\n"
	       "    the host's pid namespace (docker run --privileged --pid host)\n");
}

static int print_failure(const struct error *err)
{
	struct utsname name;

	printf("Containers cannot be traced on this host.\n\n  reason    ");
	print_escaped(err->text);
	if (uname(&name) == 0)
		printf("\n  kernel    %s %s", name.release, name.machine);
	printf("\n");
	print_advice();
	return 1;
}

int cmd_doctor(int argc, char **argv)
{
	struct capture_options options = { 0 };
	struct capture *capture = NULL;
	struct error err = { 0 };
	bool json = false;
	int code = 0;

	argp_parse(&parser, argc, argv, 0, NULL, &json);
	if (capture_open(&options, &capture, &err) < 0)
		return json ? print_json(NULL, &err) : print_failure(&err);
	if (json) {
		code = print_json(capture_facts(capture), &err);
	} else {
		print_summary(capture_facts(capture));
		print_hooks(capture_facts(capture));
		print_unseen(capture_facts(capture));
	}
	capture_close(capture);
	return code;
}
