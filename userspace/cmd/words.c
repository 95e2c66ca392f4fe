/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
static const int64_t second_ns = 1000000000;

char *words_duration(int64_t s)
{
	if (s < 1)
		return xstrdup("Less than a second");
	if (s == 1)
		return xstrdup("1 second");
	if (s < MINUTE)
		return xasprintf("%lld seconds", (long long)s);
	if (s < 2 * MINUTE)
		return xstrdup("About a minute");
	if (s < HOUR)
		return xasprintf("%lld minutes", (long long)(s / MINUTE));
	if ((s + HOUR / 2) / HOUR == 1)
		return xstrdup("About an hour");
	if ((s + HOUR / 2) / HOUR < 48)
		return xasprintf("%lld hours", (long long)((s + HOUR / 2) / HOUR));
	if (s < 14 * DAY)
		return xasprintf("%lld days", (long long)(s / DAY));
	if (s < 60 * DAY)
		return xasprintf("%lld weeks", (long long)(s / DAY / 7));
	if (s < 730 * DAY)
		return xasprintf("%lld months", (long long)(s / DAY / 30));
	return xasprintf("%lld years", (long long)(s / DAY / 365));
}

static const char *const decimal_units[] = { "B", "kB", "MB", "GB", "TB", "PB" };

static char *scaled(double value, double base, int digits, const char *const *units, size_t count)
{
	size_t unit = 0;

	while (value >= base && unit + 1 < count) {
		value /= base;
		unit++;
	}
	return xasprintf("%.*g%s", digits, value, units[unit]);
}

char *words_size(double bytes)
{
	return scaled(bytes, 1000, 4, decimal_units, ARRAY_SIZE(decimal_units));
}

char *words_image_size(uint64_t bytes)
{
	return scaled((double)bytes, 1000, 3, decimal_units, ARRAY_SIZE(decimal_units));
}

char *words_binary_size(double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };

	return scaled(bytes, 1024, 4, units, ARRAY_SIZE(units));
}

char *words_time(int64_t ns)
{
	time_t seconds = (time_t)(ns / second_ns);
	char text[32];
	struct tm tm;

	if (!ns)
		return xstrdup("0001-01-01T00:00:00Z");
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	return xasprintf("%s.%09lldZ", text, (long long)(ns % second_ns));
}

char *words_local_time(int64_t ns)
{
	time_t seconds = (time_t)(ns / second_ns);
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", localtime_r(&seconds, &tm));
	return xstrdup(text);
}

/* Go's durations: "1h30m", "90s", "1.5h"; -1 when it is none. */
static double parse_duration(const char *text)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "ms", 0.001 }, { "us", 1e-6 }, { "ns", 1e-9 }, { "h", HOUR }, { "m", MINUTE },
		{ "s", 1 } };
	double total = 0;

	if (!*text)
		return -1;
	while (*text) {
		char *end;
		double value = strtod(text, &end);
		size_t i = 0;

		if (end == text || value < 0)
			return -1;
		while (i < ARRAY_SIZE(units) && strncmp(end, units[i].name, strlen(units[i].name)) != 0)
			i++;
		if (i == ARRAY_SIZE(units))
			return -1;
		total += value * units[i].seconds;
		text = end + strlen(units[i].name);
	}
	return total;
}

static int64_t parse_date(const char *text)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d" };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *rest = strptime(text, formats[i], &tm);
		double fraction = 0;
		char *end;
		int hours, minutes;
		char sign;

		if (!rest)
			continue;
		if (*rest == '.') {
			fraction = strtod(rest, &end);
			rest = end;
		}
		if (!strcmp(rest, "Z"))
			return (int64_t)timegm(&tm) * second_ns + (int64_t)(fraction * 1e9);
		if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3 && (sign == '+' || sign == '-'))
			return ((int64_t)timegm(&tm) - (sign == '+' ? 1 : -1) * (hours * HOUR + minutes * MINUTE)) *
				       second_ns + (int64_t)(fraction * 1e9);
		if (!*rest)
			return (int64_t)mktime(&tm) * second_ns + (int64_t)(fraction * 1e9);
	}
	return -1;
}

int64_t words_parse_time(const char *text)
{
	double ago = parse_duration(text), unix_seconds;
	char *end;

	if (ago >= 0)
		return clock_ns(CLOCK_REALTIME) - (int64_t)(ago * 1e9);
	if (strchr(text, '-'))
		return parse_date(text);
	unix_seconds = strtod(text, &end);
	return end != text && !*end && unix_seconds >= 0 ? (int64_t)(unix_seconds * 1e9) : -1;
}
