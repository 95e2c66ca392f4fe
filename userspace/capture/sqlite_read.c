/* SPDX-License-Identifier: Apache-2.0 */
/* The file is somebody else's: it may be damaged, or made to harm who reads it (sqlite.org/security.html). */
#include "capture/sqlite_read.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum {
	FILE_MAX = 64 << 20,
	TEXT_MAX = 8 << 20,
	HEADER_BYTES = 100,
	ATTEMPTS = 8,
	ATTEMPT_MS = 5,
	STEPS_MAX = 1000000, /* of SQLite's machine; a look-up takes a few dozen */
	JOURNAL_BYTES = 28    /* of its header */
};

struct sqlite_read {
	sqlite3 *db;
	unsigned char *bytes; /* which db reads in place */
};

/* What is used of the library. */
#define LIBRARY(FUNCTION)                                                                                              \
	FUNCTION(open_v2) FUNCTION(close_v2) FUNCTION(deserialize) FUNCTION(db_config) FUNCTION(limit)                     \
	FUNCTION(progress_handler) FUNCTION(prepare_v2) FUNCTION(bind_text) FUNCTION(step) FUNCTION(column_blob)           \
	FUNCTION(column_bytes) FUNCTION(finalize)

#define MEMBER(name) __typeof__(sqlite3_##name) *name;
static struct {
	LIBRARY(MEMBER)
	bool was_tried, is_there;
} library;

#define LOAD(name) && (library.name = (__typeof__(library.name))dlsym(handle, "sqlite3_" #name))

static bool load_library(void)
{
	void *handle;

	if (library.was_tried)
		return library.is_there;
	library.was_tried = true;
	handle = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
	library.is_there = handle LIBRARY(LOAD);
	return library.is_there;
}

/* ---- the file ---- */

/* A journal with content is that of a commit which goes on, or of one that died and is to be undone. */
static bool has_journal(const char *path)
{
	static const unsigned char none[JOURNAL_BYTES];
	_cleanup_free_ char *journal = xasprintf("%s-journal", path);
	_cleanup_close_ int fd = open(journal, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	unsigned char header[JOURNAL_BYTES];
	ssize_t n = fd < 0 ? 0 : read(fd, header, sizeof(header));

	return n != 0 && (n < (ssize_t)sizeof(header) || memcmp(header, none, sizeof(header)) != 0);
}

static unsigned char *read_whole(int fd, size_t size)
{
	_cleanup_free_ unsigned char *bytes = xmalloc(size);
	size_t at = 0;
	ssize_t n;

	while (at < size && (n = pread(fd, bytes + at, size - at, (off_t)at)) > 0)
		at += (size_t)n;
	return at == size ? steal_ptr(bytes) : NULL;
}

/* Whether the header, which has a counter of commits, is still that of bytes. */
static bool is_current(int fd, const unsigned char *bytes)
{
	unsigned char header[HEADER_BYTES];

	return pread(fd, header, sizeof(header), 0) == sizeof(header) && !memcmp(header, bytes, sizeof(header));
}

/* The file as it was between two commits. */
static unsigned char *read_file(const char *path, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const struct timespec pause = { .tv_nsec = ATTEMPT_MS * 1000000 };
	struct stat st;

	for (int i = 0; fd >= 0 && i < ATTEMPTS; i++) {
		_cleanup_free_ unsigned char *bytes = NULL;

		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < HEADER_BYTES || st.st_size > FILE_MAX)
			return NULL;
		*ret_size = (size_t)st.st_size;
		if (!has_journal(path) && (bytes = read_whole(fd, *ret_size)) && !has_journal(path) &&
			is_current(fd, bytes))
			return steal_ptr(bytes);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* ---- what is in it ---- */

static int stop(void *arg)
{
	(void)arg;
	return 1;
}

/* Nothing that the file brings is executed: no view, trigger or default that calls functions, no other file. */
static void confine(sqlite3 *db)
{
	library.db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	library.db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	library.db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	library.db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	library.limit(db, SQLITE_LIMIT_LENGTH, TEXT_MAX);
	library.limit(db, SQLITE_LIMIT_ATTACHED, 0);
	library.limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

struct sqlite_read *sqlite_read_open(const char *path)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	struct sqlite_read *db;
	size_t size = 0;

	if (access(path, F_OK) < 0 || !load_library() || !(bytes = read_file(path, &size)))
		return NULL;
	db = xcalloc(1, sizeof(*db));
	if (library.open_v2(":memory:", &db->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		goto fail;
	confine(db->db);
	/* without its log, which an SQLite in memory cannot have, it is read as it is */
	if (bytes[18] == 2 && bytes[19] == 2)
		bytes[18] = bytes[19] = 1;
	if (library.deserialize(db->db, "main", bytes, (sqlite3_int64)size, (sqlite3_int64)size,
		SQLITE_DESERIALIZE_READONLY) != SQLITE_OK)
		goto fail;
	db->bytes = steal_ptr(bytes);
	return db;
fail:
	sqlite_read_close(db);
	return NULL;
}

void sqlite_read_close(struct sqlite_read *db)
{
	if (!db)
		return;
	library.close_v2(db->db); /* before what it reads */
	free(db->bytes);
	free(db);
}

char *sqlite_read_text(struct sqlite_read *db, const char *query, const char *parameter)
{
	sqlite3_stmt *statement = NULL;
	char *text = NULL;
	const void *value;

	library.progress_handler(db->db, STEPS_MAX, stop, NULL);
	if (library.prepare_v2(db->db, query, -1, &statement, NULL) == SQLITE_OK &&
		library.bind_text(statement, 1, parameter, -1, SQLITE_STATIC) == SQLITE_OK &&
		library.step(statement) == SQLITE_ROW) {
		value = library.column_blob(statement, 0); /* podman binds its JSON as a blob */
		if (value)
			text = xstrndup(value, (size_t)library.column_bytes(statement, 0));
	}
	library.finalize(statement);
	return text;
}
