/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/stream_server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/capture_internal.h"
#include "capture/facts_internal.h"
#include "capture/recording_format.h"
#include "capture/stream_client.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { HISTORY_BYTES = 64 << 20, QUEUE_BYTES = 8 << 20, MAX_CLIENTS = 64, BACKLOG = 64, MAX_GROUPS = 256 };

#define REQUEST_NS 5000000000ULL   /* a client that asks for nothing is left after so long */
#define PROGRESS_NS 30000000000ULL /* one that takes nothing, too */

struct stream_server {
	char path[STREAM_PATH_MAX];
	uint64_t start_ns; /* of the facts */
	gid_t group; /* -1 = there is none */
	int lock_fd, listen_fd, epoll_fd;
	int spare_fd; /* given up for a moment to turn clients away when there is no other descriptor; -1 = given up */
	int (*arm)(void *arg, struct error *err);
	void *arg;
	size_t queue_bytes, max_clients;
	struct history *history;
	struct shared_frame *facts, *mark; /* what every stream begins with; the answer to a request */
	struct stream_client **clients;
	size_t count, capacity;
	/* added and not published yet */
	unsigned char batch[RECORDING_FRAME_BYTES + UINT16_MAX];
	size_t batch_length;
	uint32_t batch_events;
	uint64_t last_ns;
	struct stream_server_stats stats;
};

/* ---- the socket ---- */

static int open_spare(void)
{
	return open("/", O_PATH | O_CLOEXEC);
}

static gid_t find_group(void)
{
	const struct group *group = getgrnam("ctrace");

	return group ? group->gr_gid : (gid_t)-1;
}

static int make_directory(const char *socket_path, struct error *err)
{
	_cleanup_free_ char *directory = xstrdup(socket_path);
	char *slash = strrchr(directory, '/');

	if (slash)
		*slash = '\0';
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot make directory %s", directory);
	return 0;
}

/* Who has the lock owns the socket: what lies there without it was left by a dead tracer. */
static int take_lock(struct stream_server *s, struct error *err)
{
	_cleanup_free_ char *path = xasprintf("%s.lock", s->path);

	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, errno == EWOULDBLOCK ? EADDRINUSE : errno,
			"another tracer serves this host already, at %s", s->path);
	return 0;
}

/* Made without permissions, then given to root and the group. */
static int bind_socket(struct stream_server *s, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	memcpy(address.sun_path, s->path, strlen(s->path));
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listen_fd < 0)
		return error_errno(err, errno, "cannot make a socket");
	unlink(s->path);
	mask = umask(0777);
	r = bind(s->listen_fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0)
		return error_errno(err, errno, "cannot make the socket %s", s->path);
	if (s->group != (gid_t)-1 && chown(s->path, -1, s->group) < 0)
		return error_errno(err, errno, "cannot give the socket %s to group ctrace", s->path);
	/* beyond that connect(2) waits, and is not refused: nobody has to be counted */
	if (chmod(s->path, 0660) < 0 || listen(s->listen_fd, BACKLOG) < 0)
		return error_errno(err, errno, "cannot serve at %s", s->path);
	return 0;
}

static int watch(struct stream_server *s, int op, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return epoll_ctl(s->epoll_fd, op, fd, &event);
}

static int open_parts(struct stream_server *s, const struct stream_server_options *o, struct error *err)
{
	int r = 0;

	if (!o->path)
		r = stream_path(s->path, err);
	else if ((size_t)snprintf(s->path, sizeof(s->path), "%s", o->path) >= sizeof(s->path))
		r = error_set(err, ENAMETOOLONG, "the path of a socket cannot be as long as %s", o->path);
	if (r == 0)
		r = make_directory(s->path, err);
	if (r == 0)
		r = take_lock(s, err);
	if (r == 0)
		r = bind_socket(s, err);
	if (r < 0)
		return r;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0 || watch(s, EPOLL_CTL_ADD, s->listen_fd, EPOLLIN, NULL) < 0)
		return error_errno(err, errno, "cannot make an epoll descriptor");
	s->spare_fd = open_spare();
	return 0;
}

/* Magic and facts, as one piece. */
static struct shared_frame *make_beginning(const struct facts *facts)
{
	struct json_object *json = facts_to_json(facts);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	struct shared_frame *frame = shared_frame_new(FRAME_FACTS, text, strlen(text), false);

	frame = xrealloc(frame, sizeof(*frame) + frame->length + sizeof(recording_magic));
	memmove(frame->bytes + sizeof(recording_magic), frame->bytes, frame->length);
	memcpy(frame->bytes, recording_magic, sizeof(recording_magic));
	frame->length += sizeof(recording_magic);
	json_object_put(json);
	return frame;
}

void stream_server_set_facts(struct stream_server *s, const struct facts *facts)
{
	shared_frame_release(s->facts);
	s->facts = make_beginning(facts);
}

int stream_server_open(const struct stream_server_options *o, struct stream_server **ret_server, struct error *err)
{
	struct stream_server *s = xcalloc(1, sizeof(*s));
	int r;

	s->lock_fd = s->listen_fd = s->epoll_fd = s->spare_fd = -1;
	s->group = find_group();
	s->arm = o->arm;
	s->arg = o->arg;
	s->queue_bytes = o->queue_bytes ? o->queue_bytes : QUEUE_BYTES;
	s->max_clients = o->max_clients ? o->max_clients : MAX_CLIENTS;
	r = open_parts(s, o, err);
	if (r < 0) {
		stream_server_close(s);
		return r;
	}
	s->history = history_new(o->history_bytes ? o->history_bytes : HISTORY_BYTES);
	s->start_ns = o->facts->start_ns;
	s->facts = make_beginning(o->facts);
	s->mark = stream_mark_new();
	*ret_server = s;
	return 0;
}

int stream_server_fd(const struct stream_server *s)
{
	return s->epoll_fd;
}

int stream_server_timeout_ms(const struct stream_server *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->clients[i]->sync_count)
			return CAPTURE_WINDOW_NS / 1000000 + 1;
	}
	return -1;
}

/* ---- events out ---- */

static void publish_batch(struct stream_server *s)
{
	struct shared_frame *frame;

	if (!s->batch_length)
		return;
	if (s->count) {
		frame = shared_frame_new(FRAME_EVENTS, s->batch, s->batch_length, false);
		frame->events = s->batch_events;
		frame->last_ns = s->last_ns;
		for (size_t i = 0; i < s->count; i++) {
			if (s->clients[i]->state == CLIENT_OPEN)
				stream_client_publish(s->clients[i], frame);
		}
		shared_frame_release(frame);
	}
	s->batch_length = 0;
	s->batch_events = 0;
}

void stream_server_add(struct stream_server *s, const struct event *event)
{
	history_add(s->history, event);
	memcpy(s->batch + s->batch_length, event, event->size);
	s->batch_length += event->size;
	s->batch_events++;
	if (event->time_ns > s->last_ns)
		s->last_ns = event->time_ns;
	if (s->batch_length >= RECORDING_FRAME_BYTES)
		publish_batch(s);
}

static void answer_syncs(struct stream_server *s, struct stream_client *c, uint64_t complete_ns)
{
	size_t done = 0;

	while (done < c->sync_count && c->sync_ns[done] <= complete_ns) {
		stream_client_tell_lost(c, s->last_ns);
		stream_client_queue(c, s->mark);
		done++;
	}
	memmove(c->sync_ns, c->sync_ns + done, (c->sync_count - done) * sizeof(c->sync_ns[0]));
	c->sync_count -= done;
}

void stream_server_publish(struct stream_server *s, struct timeline *tl, uint64_t complete_ns)
{
	publish_batch(s);
	for (size_t i = 0; i < s->count; i++)
		answer_syncs(s, s->clients[i], complete_ns);
	history_step(s->history, tl, complete_ns);
}

/* ---- requests in ---- */

static void take_frame(void *arg, struct shared_frame *frame)
{
	stream_client_queue(arg, frame);
}

static void queue_event(struct stream_client *c, const struct event *event)
{
	struct shared_frame *frame = shared_frame_new(FRAME_EVENTS, event, event->size, false);

	stream_client_queue(c, frame);
	shared_frame_release(frame);
}

/* Without a snapshot: what comes is live from the first event on. */
static void queue_snapshot_end(const struct stream_server *s, struct stream_client *c)
{
	struct event end;

	event_prepare(&end, EVENT_SNAPSHOT_END, sizeof(end), s->start_ns);
	queue_event(c, &end);
}

/* What the history no longer holds of containers that go on is lost to this client. */
static void open_stream(struct stream_server *s, struct stream_client *c)
{
	struct history_stats history;
	struct error err;
	bool everything;

	if (c->request.flags & STREAM_ARM && s->arm)
		s->arm(s->arg, &err); /* a tier that cannot be armed is in the facts */
	stream_client_queue(c, s->facts);
	everything = c->request.since_ns <= s->start_ns;
	if (!everything)
		queue_snapshot_end(s, c);
	if (c->request.since_ns != STREAM_NOTHING)
		history_each(s->history, everything ? 0 : c->request.since_ns, take_frame, c);
	if (everything) {
		history_get_stats(s->history, &history);
		c->missed = history.dropped;
		stream_client_tell_lost(c, s->last_ns);
	}
	stream_client_queue(c, s->mark);
	c->state = CLIENT_OPEN;
}

static void take_requests(struct stream_server *s, struct stream_client *c, uint64_t now_ns)
{
	while (stream_client_read(c)) {
		if (c->state == CLIENT_ASKED && c->request.verb == STREAM_OPEN)
			open_stream(s, c);
		else if (c->state == CLIENT_OPEN && c->request.verb == STREAM_SYNC && c->sync_count < ARRAY_SIZE(c->sync_ns))
			c->sync_ns[c->sync_count++] = now_ns;
		else
			c->finished = true;
		if (c->finished)
			return;
	}
}

static bool has_group(int fd, gid_t group)
{
	gid_t groups[MAX_GROUPS];
	socklen_t length = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
		return false;
	for (size_t i = 0; i < length / sizeof(groups[0]); i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

/* The socket's mode says so too; a directory that others can write to, or a copy of the descriptor, does not. */
static bool is_allowed(const struct stream_server *s, int fd)
{
	struct ucred peer = { .uid = -1 };
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return s->group != (gid_t)-1 && (peer.gid == s->group || has_group(fd, s->group));
}

/* Whether there was one. */
static bool turn_away(struct stream_server *s)
{
	int fd;

	cleanup_close(&s->spare_fd);
	fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	s->stats.refused += fd >= 0;
	if (fd >= 0)
		close(fd);
	s->spare_fd = open_spare();
	return fd >= 0;
}

/* -1: there is none. A client that no descriptor is left for would stay in the queue, and the queue ready: it is turned away. */
static int accept_one(struct stream_server *s)
{
	int fd;

	do {
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (fd < 0 && (errno == EMFILE || errno == ENFILE) && turn_away(s));
	return fd;
}

static void accept_clients(struct stream_server *s, uint64_t now_ns)
{
	int fd;

	while ((fd = accept_one(s)) >= 0) {
		struct stream_client *c;

		if (s->count >= s->max_clients || !is_allowed(s, fd)) {
			s->stats.refused++;
			close(fd);
			continue;
		}
		c = stream_client_new(fd, s->queue_bytes, now_ns);
		if (watch(s, EPOLL_CTL_ADD, fd, EPOLLIN, c) < 0) {
			s->stats.refused++;
			stream_client_free(c);
			continue;
		}
		array_grow(s->clients, s->count, s->capacity);
		s->clients[s->count++] = c;
		s->stats.accepted++;
	}
}

static bool is_to_leave(struct stream_server *s, const struct stream_client *c, uint64_t now_ns)
{
	if (c->finished)
		return true;
	if (c->state == CLIENT_ASKED ? now_ns < c->connected_ns + REQUEST_NS :
		!c->count || now_ns < c->progress_ns + PROGRESS_NS)
		return false;
	s->stats.left++;
	return true;
}

static void work_client(struct stream_server *s, struct stream_client *c, uint64_t now_ns)
{
	bool wants_output;

	take_requests(s, c, now_ns);
	stream_client_send(c, now_ns);
	wants_output = c->count > 0;
	if (wants_output == c->wants_output)
		return;
	c->wants_output = wants_output;
	watch(s, EPOLL_CTL_MOD, c->fd, EPOLLIN | (wants_output ? EPOLLOUT : 0), c);
}

void stream_server_work(struct stream_server *s)
{
	uint64_t now_ns = boottime_ns();

	accept_clients(s, now_ns);
	for (size_t i = s->count; i-- > 0;) {
		struct stream_client *c = s->clients[i];

		work_client(s, c, now_ns);
		if (!is_to_leave(s, c, now_ns))
			continue;
		s->stats.lost += c->lost;
		stream_client_free(c);
		s->clients[i] = s->clients[--s->count];
	}
}

void stream_server_get_stats(const struct stream_server *s, struct stream_server_stats *ret_stats)
{
	struct history_stats history;

	history_get_stats(s->history, &history);
	*ret_stats = s->stats;
	ret_stats->clients = s->count;
	for (size_t i = 0; i < s->count; i++)
		ret_stats->lost += s->clients[i]->lost;
	ret_stats->history_bytes = history.bytes;
	ret_stats->history_events = history.events;
	ret_stats->history_dropped = history.dropped;
}

void stream_server_close(struct stream_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		stream_client_free(s->clients[i]);
	free(s->clients);
	if (s->listen_fd >= 0) {
		unlink(s->path);
		close(s->listen_fd);
	}
	cleanup_close(&s->epoll_fd);
	cleanup_close(&s->spare_fd);
	cleanup_close(&s->lock_fd);
	shared_frame_release(s->facts);
	shared_frame_release(s->mark);
	history_free(s->history);
	free(s);
}
