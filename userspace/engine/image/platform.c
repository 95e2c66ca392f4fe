/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/array.h"
#include "util/cleanup.h"

static void set_field(char field[32], const char *value)
{
	snprintf(field, 32, "%s", value ? value : "");
}

/* The names that the kernel uses for what Go calls otherwise. */
static void normalize(struct platform *p)
{
	static const struct {
		const char *machine, *architecture, *variant;
	} names[] = {
		{ "x86_64", "amd64", "" },   { "aarch64", "arm64", "" },   { "armv6l", "arm", "v6" },
		{ "armv7l", "arm", "v7" },   { "armv8l", "arm", "v7" },	   { "i386", "386", "" },
		{ "i686", "386", "" },	     { "loongarch64", "loong64", "" }, { "armhf", "arm", "v7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(p->architecture, names[i].machine) != 0)
			continue;
		set_field(p->architecture, names[i].architecture);
		if (!*p->variant)
			set_field(p->variant, names[i].variant);
		break;
	}
	/* arm64 has one variant in use; v8 and none are the same. */
	if (!strcmp(p->architecture, "arm64") && !strcmp(p->variant, "v8"))
		p->variant[0] = '\0';
	if (!strcmp(p->architecture, "arm") && !*p->variant)
		set_field(p->variant, "v7");
}

void platform_set(struct platform *p, const char *os, const char *architecture, const char *variant)
{
	set_field(p->os, os);
	set_field(p->architecture, architecture);
	set_field(p->variant, variant);
	normalize(p);
}

static bool field_valid(const char *s)
{
	size_t length = strlen(s);

	return length > 0 && length < 32 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == length;
}

int platform_parse(const char *text, struct platform *ret, struct error *err)
{
	_cleanup_free_ char *copy = NULL;
	char *fields[3] = { 0 }, *rest;
	struct utsname host;
	size_t count = 0;

	if (!text) {
		uname(&host);
		platform_set(ret, "linux", host.machine, NULL);
		return 0;
	}
	copy = rest = xstrdup(text);
	for (char *field; (field = strsep(&rest, "/")); count++) {
		if (count == 3 || !field_valid(field))
			return error_set(err, EINVAL,
				"invalid platform \"%s\": write OS/ARCH[/VARIANT], as in linux/amd64 or "
				"linux/arm/v7", text);
		fields[count] = field;
	}
	if (count == 1)
		platform_set(ret, "linux", fields[0], NULL);
	else
		platform_set(ret, fields[0], fields[1], fields[2]);
	return 0;
}

int platform_match(const struct platform *wish, const struct platform *offer)
{
	if (strcmp(wish->os, offer->os) != 0 || strcmp(wish->architecture, offer->architecture) != 0)
		return 0;
	if (!strcmp(wish->variant, offer->variant))
		return 100;
	if (!*offer->variant)
		return 50;
	if (!strcmp(wish->architecture, "arm") && offer->variant[0] == 'v' && wish->variant[0] == 'v' &&
		atoi(offer->variant + 1) < atoi(wish->variant + 1))
		return 10 + atoi(offer->variant + 1);
	return 0;
}

char *platform_format(const struct platform *p, char *buffer)
{
	snprintf(buffer, 100, "%s/%s%s%s", p->os, p->architecture, *p->variant ? "/" : "", p->variant);
	return buffer;
}
