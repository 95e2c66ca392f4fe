/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_REQUEST_H
#define CTRACE_REQUEST_H

/* What a known client asks of its daemon over an AF_UNIX stream: the first bytes of a request that
 * looks like HTTP, and of the answer. */

#include "call.h"

/* Internal to the inflight map: beyond every OP_*. */
enum { OP_CALL_RESPONSE = 1000 };

static __always_inline bool first_vector(__u64 from, __u64 *base, __u64 *length)
{
	struct user_vector v = {};

	if (bpf_probe_read_user(&v, sizeof(v), (void *)from) != 0)
		return false;
	*base = v.base;
	*length = v.length;
	return true;
}

/* struct msghdr of 64-bit user space: msg_iov is its third word. */
static __always_inline bool message_vector(__u64 message, __u64 *base, __u64 *length)
{
	__u64 vectors = 0;

	return bpf_probe_read_user(&vectors, sizeof(vectors), (void *)(message + 16)) == 0 &&
		first_vector(vectors, base, length);
}

static __always_inline struct sock *file_socket(struct file *file)
{
	enum { MODE_TYPE = 0170000, MODE_SOCKET = 0140000 };
	struct socket *socket;

	if ((READ(file, f_inode, i_mode) & MODE_TYPE) != MODE_SOCKET)
		return NULL;
	socket = READ(file, private_data);
	return READ(socket, sk);
}

static __always_inline bool is_unix_stream(struct file *file)
{
	enum { FAMILY_UNIX = 1, TYPE_STREAM = 1 };
	struct sock *sk = file_socket(file);

	return sk && READ(sk, __sk_common.skc_family) == FAMILY_UNIX &&
		READ(sk, sk_type) == TYPE_STREAM;
}

/* The beginning of a request, or a JSON body that is written by itself. */
static __always_inline bool is_http_request(const char *s)
{
	return s[0] == '{' || has_prefix(s, "GET ") || has_prefix(s, "POST ") || has_prefix(s, "PUT ") ||
		has_prefix(s, "DELETE ") || has_prefix(s, "HEAD ") || has_prefix(s, "PATCH ") ||
		has_prefix(s, "OPTIONS ") || has_prefix(s, "PRI * HTTP/2");
}

/* What follows the NUL that such a name begins with: bytes came along, text did not. */
static __always_inline void read_abstract(struct event_request *e, struct unix_address *address)
{
#ifdef CTRACE_DIRECT_READS
	__u64 size = bounded(READ(address, len) - (int)sizeof(__u16), 127);

	if (size < sizeof(e->peer))
		read_text(e->peer + 1, size, address->name[0].sun_path + 1);
#endif
}

static __always_inline void read_peer(struct event_request *e, struct file *file)
{
	struct unix_sock *sk = (void *)file_socket(file), *peer;
	struct unix_address *address;

	peer = (void *)READ(sk, peer);
	address = peer ? READ(peer, addr) : NULL;
	if (!address)
		return;
	if (copy_text(e->peer, sizeof(e->peer) - 4, address->name[0].sun_path) != 0)
		return;
	if (e->peer[0] != '\0')
		return;
	/* An abstract name starts with NUL and is not terminated. */
	if (READ(address, len) > (int)sizeof(__u16)) {
		read_abstract(e, address);
		e->peer[0] = '@';
	}
}

static __always_inline void send_http(struct file *file, __u32 fd, __u64 data, __u64 total, __u16 kind, __u8 flags)
{
	struct event_request *e = scratch(kind == EVENT_REQUEST ? SCRATCH_ENTER : SCRATCH_EXIT);
	__u64 length = total;

	if (!e)
		return;
	zero(e, sizeof(*e));
	event_init(&e->h, kind, sizeof(*e));
	e->h.flags = flags;
	if (length > EVENT_DATA - 1)
		length = EVENT_DATA - 1;
	if (bpf_probe_read_user(e->data, length & (EVENT_DATA - 1), (void *)data) != 0)
		return;
	if (kind == EVENT_REQUEST ? !is_http_request(e->data) : !has_prefix(e->data, "HTTP/1."))
		return;
	e->fd = fd;
	e->length = length;
	e->total = total;
	read_peer(e, file);
	e->h.size = offsetof(struct event_request, data) + length;
	counters.last_detail_ns = e->h.time_ns;
	event_send(&bulk_ring, &e->h, sizeof(*e), false);
}

static __always_inline void send_request(struct file *file, __u32 fd, __u64 data, __u64 length, __u8 flags)
{
	send_http(file, fd, data, length, EVENT_REQUEST, flags);
}

static __always_inline void remember_response(struct call *call, __u32 fd, __u64 data, __u64 length)
{
	call->op = OP_CALL_RESPONSE;
	call->args[0] = fd;
	call->args[1] = data;
	call->args[2] = length;
	remember(call);
}

static __always_inline void send_response(struct call *call, long result)
{
	struct file *file = result > 0 ? descriptor_file(call->args[0]) : NULL;

	/* The descriptor may be another one by now: another thread closed it. */
	if (!file || !is_unix_stream(file))
		return;
	if ((__u64)result > call->args[2])
		result = call->args[2];
	send_http(file, call->args[0], call->args[1], result, EVENT_RESPONSE, call->flags);
}

#endif
