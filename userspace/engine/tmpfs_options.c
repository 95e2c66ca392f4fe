/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tmpfs_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/cleanup.h"

static const char *const flags[] = { "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "mand",
	"nomand", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime", "defaults",
	"shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable", "tmpcopyup" };

/* of: the digits a value has; units: what may stand behind them. */
static const struct {
	const char *name, *of, *units, *is;
} values[] = {
	{ "size", "0123456789", "kKmMgG%", "a number of bytes, as 64m, or of per cent, as 10%" },
	{ "mode", "01234567", "", "an octal number, as 1777" },
	{ "uid", "0123456789", "", "a number" }, { "gid", "0123456789", "", "a number" },
	{ "nr_inodes", "0123456789", "kKmMgG", "a number" }, { "nr_blocks", "0123456789", "kKmMgG", "a number" },
	{ "mpol", NULL, NULL, NULL }, { "huge", NULL, NULL, NULL },
};

static int check_value(size_t which, const char *value, struct error *err)
{
	size_t digits;

	if (!values[which].of)
		return 0;
	digits = strspn(value, values[which].of);
	if (digits && (!value[digits] || (strchr(values[which].units, value[digits]) && !value[digits + 1])))
		return 0;
	return error_set(err, EINVAL, "invalid tmpfs option \"%s=%s\": %s is %s", values[which].name, value, values[which].name,
		values[which].is);
}

static int check(const char *option, struct error *err)
{
	size_t length = strcspn(option, "=");

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!strcmp(option, flags[i]))
			return 0;
	}
	for (size_t i = 0; option[length] && i < ARRAY_SIZE(values); i++) {
		if (strlen(values[i].name) == length && !memcmp(values[i].name, option, length))
			return check_value(i, option + length + 1, err);
	}
	return error_set(err, EINVAL, "invalid tmpfs option \"%s\": there are size=, mode=, uid=, gid=, nr_inodes=, nr_blocks= and the flags of "
		"mount, as ro, exec, suid or noatime", option);
}

int tmpfs_options_check(const char *options, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(options);
	char *rest = copy, *option;
	int r = 0;

	while (r == 0 && (option = strsep(&rest, ",")))
		r = *option ? check(option, err) : 0;
	return r;
}
