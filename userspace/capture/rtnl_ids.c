/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/rtnl_ids.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

static struct rtnl_process *find_namespace(struct rtnl_processes *processes, uint32_t inode)
{
	for (size_t i = 0; i < RTNL_PROCESSES_MAX; i++) {
		if (processes->list[i].tgid && processes->list[i].inode == inode)
			return &processes->list[i];
	}
	return NULL;
}

void rtnl_processes_add(struct rtnl_processes *processes, uint32_t tgid, uint64_t start_ns, uint32_t inode)
{
	if (!tgid || !inode || find_namespace(processes, inode))
		return;
	processes->list[processes->serial++ % RTNL_PROCESSES_MAX] =
		(struct rtnl_process){ .inode = inode, .tgid = tgid, .start_ns = start_ns };
}

void rtnl_processes_remove(struct rtnl_processes *processes, uint32_t tgid, uint64_t start_ns)
{
	for (size_t i = 0; i < RTNL_PROCESSES_MAX; i++) {
		if (processes->list[i].tgid == tgid && processes->list[i].start_ns == start_ns)
			processes->list[i].tgid = 0;
	}
}

static struct rtnl_id *find_id(struct rtnl_ids *ids, int id)
{
	for (size_t i = 0; i < RTNL_IDS_MAX; i++) {
		if (ids->list[i].used && ids->list[i].id == id)
			return &ids->list[i];
	}
	return NULL;
}

static bool is_known(const struct rtnl_ids *ids, uint32_t inode)
{
	for (size_t i = 0; i < RTNL_IDS_MAX; i++) {
		if (ids->list[i].used && ids->list[i].inode == inode)
			return true;
	}
	return false;
}

void rtnl_ids_want(struct rtnl_ids *ids, int id)
{
	struct rtnl_id *oldest = &ids->list[ids->next % RTNL_IDS_MAX];

	if (id < 0 || find_id(ids, id))
		return;
	ids->wanted -= oldest->used && !oldest->inode;
	*oldest = (struct rtnl_id){ .id = id, .used = true };
	ids->next++;
	ids->wanted++;
	ids->asked_serial = 0;
}

void rtnl_ids_forget(struct rtnl_ids *ids, int id)
{
	struct rtnl_id *found = find_id(ids, id);

	if (!found)
		return;
	ids->wanted -= !found->inode;
	*found = (struct rtnl_id){ 0 };
}

static int take_id(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			*(int *)data = (int)mnl_attr_get_u32(attr);
	}
	return MNL_CB_STOP;
}

int rtnl_ids_ask(struct mnl_socket *socket, uint16_t attribute, uint32_t value)
{
	_Alignas(struct nlmsghdr) char buffer[512];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	ssize_t n;
	int id = -1;

	message->nlmsg_type = RTM_GETNSID;
	message->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(message, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(message, attribute, value);
	if (!socket || mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -1;
	n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (n > 0)
		mnl_cb_run(buffer, (size_t)n, 0, 0, take_id, &id);
	return id;
}

/* An id that nobody spoke of yet is taken, too: it will be spoken of. */
static void answer(struct rtnl_ids *ids, int id, uint32_t inode, void (*found)(void *arg, int id, uint32_t inode), void *arg)
{
	struct rtnl_id *entry;

	rtnl_ids_want(ids, id);
	entry = find_id(ids, id);
	ids->wanted -= !entry->inode;
	entry->inode = inode;
	found(arg, id, inode);
}

void rtnl_ids_resolve(struct rtnl_ids *ids, const struct rtnl_processes *processes, struct mnl_socket *socket,
	void (*found)(void *arg, int id, uint32_t inode), void *arg)
{
	uint64_t oldest = processes->serial > RTNL_PROCESSES_MAX ? processes->serial - RTNL_PROCESSES_MAX : 0;

	if (!ids->wanted)
		return;
	if (oldest < ids->asked_serial)
		oldest = ids->asked_serial;
	for (uint64_t serial = processes->serial; serial-- > oldest && ids->wanted;) {
		const struct rtnl_process *p = &processes->list[serial % RTNL_PROCESSES_MAX];
		int id;

		if (!p->tgid || is_known(ids, p->inode))
			continue;
		id = rtnl_ids_ask(socket, NETNSA_PID, p->tgid);
		if (id >= 0)
			answer(ids, id, p->inode, found, arg);
	}
	ids->asked_serial = processes->serial;
}
