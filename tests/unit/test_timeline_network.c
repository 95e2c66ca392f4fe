/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a link, an address and a route are: rtnetlink does not say, the network namespace does in which they are. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "timeline/timeline_internal.h"
#include "unit/event_builder.h"

enum { NEW_LINK = 16, DELETED_LINK = 17, NEW_ADDRESS = 20, NEW_ROUTE = 24, NO_ID = -1 };

static struct proc dockerd;

static int engine_comes(void **state)
{
	setup(state);
	dockerd = new_proc(10);
	dockerd.net = HOST_NS;
	exec_as(&dockerd, ROLE_ENGINE, "dockerd", "dockerd");
	return 0;
}

/* A container whose init is a process in the network namespace net; of what was before it runs, nothing more. */
static struct proc start(const char *id, uint32_t pid, uint32_t net)
{
	struct proc runc = fork_of(&dockerd, pid, 0, 0), init;
	char text[64];

	runc.net = HOST_NS;
	snprintf(text, sizeof(text), "runc create %s", id);
	exec_as(&runc, ROLE_RUNTIME, "runc", text);
	snprintf(text, sizeof(text), "/%s", id);
	cgroup(&runc, EVENT_CGROUP_MKDIR, pid, text, NULL);
	init = fork_of(&runc, pid + 1, 0, 1);
	cgroup(&runc, EVENT_CGROUP_ATTACH, pid, text, &init);
	init.cgroup = pid;
	init.mnt = pid;
	init.net = net;
	return init;
}

static void runs(struct proc *init)
{
	exec_as(init, ROLE_PAYLOAD, "sh", "sh");
}

static void link_event(uint32_t action, const char *name, uint32_t index, uint32_t peer, int32_t id, bool inside)
{
	struct event_link e = { .action = action, .ifindex = index, .peer_ifindex = peer, .netns_id = id, .kind = "veth" };

	e.h = header(&dockerd, EVENT_LINK, sizeof(e));
	e.h.flags = inside ? EVENT_F_IN_NETNS : 0;
	snprintf(e.name, sizeof(e.name), "%s", name);
	feed(&e);
}

static void address_event(uint32_t action, const char *address, int32_t id)
{
	struct event_link e = { .action = action, .netns_id = id };

	e.h = header(&dockerd, EVENT_LINK, sizeof(e));
	e.h.flags = EVENT_F_IN_NETNS;
	snprintf(e.address, sizeof(e.address), "%s", address);
	feed(&e);
}

static void netns_event(int32_t id, uint32_t inode)
{
	struct event_netns e = { .netns_id = id, .inode = inode };

	e.h = header(&dockerd, EVENT_NETNS, sizeof(e));
	feed(&e);
}

/* A pair, made in the engine's namespace; one end goes to where it is called eth0 and has an address. */
static void pair(uint32_t index, int32_t id, const char *address)
{
	char one[16], other[16];

	snprintf(one, sizeof(one), "veth%u", index);
	snprintf(other, sizeof(other), "veth%u", index + 1);
	link_event(NEW_LINK, one, index, 0, NO_ID, false);
	link_event(NEW_LINK, other, index + 1, index, NO_ID, false);
	link_event(NEW_LINK, other, index + 1, index, NO_ID, false); /* each change is told */
	link_event(DELETED_LINK, one, index, index + 1, id, false);
	link_event(NEW_LINK, one, index, index + 1, id, true);
	link_event(NEW_LINK, "eth0", index, index + 1, id, true);
	address_event(NEW_ADDRESS, address, id);
	address_event(NEW_ROUTE, "0.0.0.0/0", id);
	link_event(NEW_LINK, other, index + 1, index, id, false);
}

static size_t count_steps(const char *id, enum step_kind kind)
{
	const struct container *c = timeline_find(tl, id);
	size_t count = 0;

	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].kind != kind)
			continue;
		assert_int_equal(c->actors[c->steps[i].actor].role, ACTOR_ENGINE);
		count++;
	}
	return count;
}

static void has_network(const char *id, const char *address)
{
	const struct container *c = timeline_find(tl, id);

	assert_int_equal(count_steps(id, STEP_VETH), 3);
	assert_int_equal(count_steps(id, STEP_ADDRESS), 1);
	assert_int_equal(count_steps(id, STEP_ROUTE), 1);
	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].kind == STEP_ADDRESS)
			assert_string_equal(details_text(&c->steps[i].details, "address"), address);
	}
}

static void has_none(const char *id)
{
	assert_int_equal(count_steps(id, STEP_VETH) + count_steps(id, STEP_ADDRESS) + count_steps(id, STEP_ROUTE), 0);
}

static uint64_t unattributed(void)
{
	struct timeline_stats stats;

	timeline_get_stats(tl, &stats);
	return stats.unattributed;
}

/* Two at once, of which one has its network before anything else of it is seen, beside two that have none of their own. */
static void two_at_once(void **state)
{
	struct proc a, b, shares, host;

	(void)state;
	pair(1, 0, "172.17.0.2/16");
	b = start("bbb", 200, 1002);
	pair(11, 1, "172.17.0.3/16");
	netns_event(1, 1002);
	shares = start("shares", 300, 1002);
	host = start("host", 400, HOST_NS);
	runs(&host);
	a = start("aaa", 100, 1001);
	netns_event(0, 1001);
	runs(&b);
	runs(&shares);
	runs(&a);
	timeline_finish(tl);
	has_network("aaa", "172.17.0.2/16");
	has_network("bbb", "172.17.0.3/16");
	has_none("shares");
	has_none("host");
	assert_int_equal(unattributed(), 0);
}

/* What is told when all is taken down again, and of the next one that gets the id. */
static void id_is_used_again(void **state)
{
	struct proc a = start("aaa", 100, 1001), b;

	(void)state;
	pair(1, 0, "172.17.0.2/16");
	netns_event(0, 1001);
	runs(&a);
	exits(&a, 0);
	cgroup(&dockerd, EVENT_CGROUP_RMDIR, 100, "/aaa", NULL);
	tick(); /* it has ended by now */
	link_event(NEW_LINK, "veth1", 1, 2, 0, true);
	address_event(NEW_ADDRESS, "172.17.0.2/16", 0);
	link_event(DELETED_LINK, "veth1", 1, 2, 0, true);
	link_event(NEW_LINK, "veth1", 1, 2, NO_ID, false);
	link_event(DELETED_LINK, "veth1", 1, 0, NO_ID, false);
	netns_event(0, 0);
	b = start("bbb", 200, 1002);
	pair(3, 0, "172.17.0.3/16");
	netns_event(0, 1002);
	runs(&b);
	timeline_finish(tl);
	has_network("aaa", "172.17.0.2/16");
	has_network("bbb", "172.17.0.3/16");
	assert_int_equal(unattributed(), 0);
}

/* It was over before anyone could ask: its links are those of the only one that was being started with a network. */
static void gone_at_once(void **state)
{
	struct proc none = start("none", 300, HOST_NS), a = start("aaa", 100, 1001);

	(void)state;
	pair(1, 0, "172.17.0.2/16");
	runs(&none);
	runs(&a);
	netns_event(0, 0);
	timeline_finish(tl);
	has_network("aaa", "172.17.0.2/16");
	has_none("none");
	assert_int_equal(unattributed(), 0);
}

static void one_of_two_is_gone_at_once(void **state)
{
	struct proc a = start("aaa", 100, 1001), b = start("bbb", 200, 1002);

	(void)state;
	pair(1, 0, "172.17.0.2/16");
	runs(&a);
	runs(&b);
	netns_event(0, 0);
	timeline_finish(tl);
	has_none("aaa");
	has_none("bbb");
	assert_int_equal(unattributed(), 5);
}

static void enters(const struct proc *p, uint32_t net)
{
	struct event_syscall_enter e = { .op = OP_SETNS, .args = { 5, CLONE_NEWNET, net } };

	e.h = header(p, EVENT_SYSCALL_ENTER, offsetof(struct event_syscall_enter, a));
	feed(&e);
	leave(p, OP_SETNS, 0);
}

/* A thread of the engine enters the namespace and goes home again: the way home is no container's, not even of one that is at home. */
static void engine_goes_home(void **state)
{
	struct proc a = start("aaa", 100, 1001), host = start("host", 200, HOST_NS);

	(void)state;
	enters(&dockerd, 1001);
	enters(&dockerd, HOST_NS);
	runs(&host);
	runs(&a);
	timeline_finish(tl);
	assert_int_equal(count_steps("aaa", STEP_SETNS), 1);
	assert_int_equal(count_steps("host", STEP_SETNS), 0);
}

static struct proc calls(const struct proc *by, uint32_t pid, uint8_t role, const char *comm, const char *argv)
{
	struct proc child = fork_of(by, pid, 0, 0);

	exec_as(&child, role, comm, argv);
	return child;
}

static size_t count_helpers(const char *id)
{
	const struct container *c = timeline_find(tl, id);
	size_t count = 0;

	assert_non_null(c);
	for (size_t i = 0; i < c->step_count; i++)
		count += c->steps[i].kind == STEP_EXEC && c->steps[i].actor >= 0 && c->actors[c->steps[i].actor].role == ACTOR_HELPER;
	return count;
}

/* podman pod rm: it has just killed the last one when it takes down the network of the first. Some plugins say whose it is, as
 * bridge does after it has called host-local; firewall says nothing. */
static void network_is_taken_down(void **state)
{
	struct proc infra = start("infra", 100, 1001), last = start("last", 200, 1001), podman = new_proc(20), bridge;

	(void)state;
	runs(&infra);
	runs(&last);
	exec_as(&podman, ROLE_ENGINE, "podman", "podman pod rm --force pod");
	calls(&podman, 30, ROLE_RUNTIME, "runc", "runc kill last 9");
	exits(&infra, 9);
	exits(&last, 9);
	calls(&podman, 31, ROLE_HELPER, "firewall", "/usr/lib/cni/firewall");
	bridge = calls(&podman, 32, ROLE_HELPER, "bridge", "/usr/lib/cni/bridge");
	calls(&bridge, 33, ROLE_HELPER, "host-local", "/usr/lib/cni/host-local");
	enters(&bridge, 1001);
	calls(&bridge, 34, ROLE_HELPER, "iptables", "/usr/sbin/iptables --version");
	assert_int_equal(count_helpers("infra"), 3);
	calls(&podman, 35, ROLE_RUNTIME, "runc", "runc delete infra");
	assert_int_equal(count_helpers("infra"), 4);
	assert_int_equal(count_helpers("last"), 0);
	timeline_finish(tl);
	assert_int_equal(unattributed(), 0);
}

/* podman play kube: the network of the next pod is set up while all containers of the one before run. */
static void network_is_set_up(void **state)
{
	struct proc podman = new_proc(20), conmon;

	(void)state;
	exec_as(&podman, ROLE_ENGINE, "podman", "podman play kube file");
	for (uint32_t i = 0; i < 2; i++) {
		calls(&podman, 30 + 10 * i, ROLE_HELPER, "bridge", "/usr/lib/cni/bridge");
		enter(&podman, OP_MOUNT, "overlay", i ? "/two/merged" : "/one/merged", 0);
		leave(&podman, OP_MOUNT, 0);
		conmon = calls(&podman, 31 + 10 * i, ROLE_SHIM, "conmon", i ? "conmon -c two" : "conmon -c one");
		calls(&conmon, 32 + 10 * i, ROLE_RUNTIME, "runc", i ? "runc create two" : "runc create one");
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(count_helpers(i ? "two" : "one"), 1);
		assert_int_equal(count_steps(i ? "two" : "one", STEP_MOUNT), 1);
	}
	exits(&podman, 0);
	timeline_finish(tl);
	assert_int_equal(unattributed(), 0);
}

#define engine_test(f) cmocka_unit_test_setup_teardown(f, engine_comes, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(two_at_once), engine_test(id_is_used_again), engine_test(gone_at_once),
		engine_test(one_of_two_is_gone_at_once), engine_test(engine_goes_home),
		engine_test(network_is_taken_down), engine_test(network_is_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
