/* SPDX-License-Identifier: Apache-2.0 */
/* podman 5's database, made here by SQLite with podman's tables (libpod/sqlite_state_internal.go): what it says is found
 * while its owner writes, its owner is never held back, and no damage or malice does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/sqlite_read.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define TABLES                                                                                                         \
	"CREATE TABLE IDNamespace(ID TEXT PRIMARY KEY NOT NULL);"                                                          \
	"CREATE TABLE ContainerConfig(ID TEXT PRIMARY KEY NOT NULL, Name TEXT UNIQUE NOT NULL, PodID TEXT,"                \
	" JSON TEXT NOT NULL, FOREIGN KEY (ID) REFERENCES IDNamespace(ID) DEFERRABLE INITIALLY DEFERRED);"                 \
	"CREATE TABLE PodConfig(ID TEXT PRIMARY KEY NOT NULL, Name TEXT UNIQUE NOT NULL, JSON TEXT NOT NULL);"
#define QUERY "SELECT JSON FROM ContainerConfig WHERE ID = ?"

static char directory[] = "/tmp/test_sqlite.XXXXXX", path[64], journal[80];

static sqlite3 *open_writer(void)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void run(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

static void make(const char *sql)
{
	sqlite3 *db;

	unlink(path);
	unlink(journal);
	db = open_writer();
	run(db, "PRAGMA synchronous = OFF");
	run(db, sql);
	sqlite3_close(db);
}

/* Three hundred containers, so that there are pages of every sort. podman binds a document as a blob. */
static int make_file(void **state)
{
	(void)state;
	make(TABLES "INSERT INTO PodConfig VALUES ('p1', 'shop', CAST('{\"name\":\"shop\"}' AS BLOB));"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)"
		" INSERT INTO ContainerConfig SELECT 'id' || i, 'name' || i, 'p1',"
		" CAST('{\"name\":\"name' || i || '\",\"fill\":\"' || hex(zeroblob(i * 10)) || '\"}' AS BLOB) FROM n;"
		"INSERT INTO ContainerConfig VALUES ('text', 'as-text', NULL, '{\"name\":\"as-text\"}');");
	return 0;
}

static char *look_up(const char *query, const char *id)
{
	struct sqlite_read *db = sqlite_read_open(path);
	char *text = db ? sqlite_read_text(db, query, id) : NULL;

	sqlite_read_close(db);
	return text;
}

static void assert_begins(const char *id, const char *wanted)
{
	_cleanup_free_ char *text = look_up(QUERY, id);

	assert_non_null(text);
	assert_int_equal(strncmp(text, wanted, strlen(wanted)), 0);
}

static void assert_none(const char *id)
{
	_cleanup_free_ char *text = look_up(QUERY, id);

	assert_null(text);
}

static void test_found(void **state)
{
	_cleanup_free_ char *pod = look_up("SELECT JSON FROM PodConfig WHERE ID = ?", "p1");

	(void)state;
	assert_begins("id0", "{\"name\":\"name0\"");
	assert_begins("id299", "{\"name\":\"name299\"");
	assert_begins("text", "{\"name\":\"as-text\"");
	assert_string_equal(pod, "{\"name\":\"shop\"}");
	assert_none("id300");
	assert_none("' OR 1 --");
}

static void test_no_file(void **state)
{
	(void)state;
	unlink(path);
	assert_none("id0");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_none("id0");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_none("id0");
	rmdir(path);
	make_file(NULL);
	assert_int_equal(truncate(path, 200 << 20), 0);
	assert_none("id0"); /* larger than what is read */
}

/* A commit that takes long: what is half written is not read, and whoever writes is not in our way nor we in his. */
static void test_writer(void **state)
{
	struct sqlite_read *db;
	sqlite3 *writer = open_writer();
	char *text;

	(void)state;
	db = sqlite_read_open(path);
	assert_non_null(db);
	run(writer, "BEGIN EXCLUSIVE; UPDATE ContainerConfig SET JSON = 'changed' WHERE ID = 'id7'");
	assert_none("id7");
	text = sqlite_read_text(db, QUERY, "id7"); /* as it was */
	assert_int_equal(strncmp(text, "{\"name\":\"name7\"", 15), 0);
	free(text);
	run(writer, "COMMIT");
	sqlite_read_close(db);
	assert_begins("id7", "changed");
	run(writer, "PRAGMA journal_mode = PERSIST; UPDATE ContainerConfig SET JSON = 'again' WHERE ID = 'id7'");
	assert_int_equal(access(journal, F_OK), 0);
	assert_begins("id7", "again"); /* a journal that is void */
	run(writer, "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)");
	assert_begins("id7", "again");
	sqlite3_close(writer);
}

/* A commit that died: only its owner may undo it. */
static void test_dead_writer(void **state)
{
	static const char begun[] = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and so on, more than its header has";
	int fd = open(journal, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(write(fd, begun, sizeof(begun)), sizeof(begun));
	close(fd);
	assert_none("id0");
	unlink(journal);
	assert_begins("id0", "{");
}

static unsigned char *load(size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	unsigned char *bytes;

	assert_int_equal(fstat(fd, &st), 0);
	bytes = xmalloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_length = (size_t)st.st_size;
	return bytes;
}

/* Whatever is found, finding it ends. */
static void test_damaged(void **state)
{
	size_t length = 0;
	_cleanup_free_ unsigned char *bytes = load(&length);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)state;
	for (size_t at = 0; at < length; at += at < 1024 ? 1 : 509) {
		unsigned char bad = bytes[at] ^ 0xff;

		assert_int_equal(pwrite(fd, &bad, 1, (off_t)at), 1);
		free(look_up(QUERY, "id7"));
		assert_int_equal(pwrite(fd, bytes + at, 1, (off_t)at), 1);
	}
	assert_begins("id7", "{\"name\":\"name7\"");
	for (size_t cut = length; cut > 1777; cut -= 1777) {
		assert_int_equal(ftruncate(fd, (off_t)cut), 0);
		free(look_up(QUERY, "id7"));
	}
	close(fd);
}

static void test_malicious(void **state)
{
	static const char *const schemas[] = {
		/* without end */
		"CREATE VIEW ContainerConfig AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
		" SELECT 'id7' AS ID, max(i) AS JSON FROM n;",
		"CREATE TABLE t(i); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
		" INSERT INTO t SELECT i FROM n; CREATE TABLE ContainerConfig(ID, JSON AS"
		" (printf('%.*c', 9000000, 'x'))); INSERT INTO ContainerConfig VALUES ('id7');",
		/* larger than what is taken */
		"CREATE TABLE ContainerConfig(ID, JSON); INSERT INTO ContainerConfig VALUES ('id7', zeroblob(9000000));",
		/* no such table, no such column */
		"CREATE TABLE Other(ID);", "CREATE TABLE ContainerConfig(ID);",
		/* nothing */
		"CREATE TABLE ContainerConfig(ID, JSON); INSERT INTO ContainerConfig VALUES ('id7', NULL);",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(schemas); i++) {
		int64_t begun = clock_ms(CLOCK_MONOTONIC);

		make(schemas[i]);
		assert_none("id7");
		assert_true(clock_ms(CLOCK_MONOTONIC) - begun < 3000);
	}
	/* a table without an index is searched, but not for ever */
	make("CREATE TABLE ContainerConfig(ID, JSON); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 600000) INSERT INTO ContainerConfig SELECT i, 1 FROM n;"
		"INSERT INTO ContainerConfig VALUES ('id7', 'far');");
	assert_none("id7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found, make_file),
		cmocka_unit_test_setup(test_no_file, make_file),
		cmocka_unit_test_setup(test_writer, make_file),
		cmocka_unit_test_setup(test_dead_writer, make_file),
		cmocka_unit_test_setup(test_damaged, make_file),
		cmocka_unit_test(test_malicious),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/db.sql", directory);
	snprintf(journal, sizeof(journal), "%s-journal", path);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(journal);
	rmdir(directory);
	return failed;
}
