/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"

const char *host_pressure_name(enum host_pressure p)
{
	static const char *const names[PRESSURE_COUNT] = { "cpu", "memory", "io" };

	return names[p];
}

void host_init(struct host *h)
{
	*h = (struct host){ .memory_total = -1, .memory_available = -1, .own_cpu = HOST_UNKNOWN, .own_memory = -1,
		.hooks_cpu = HOST_UNKNOWN };
	for (size_t i = 0; i < PRESSURE_COUNT; i++)
		h->pressure_some[i] = h->pressure_full[i] = HOST_UNKNOWN;
	for (size_t i = 0; i < 3; i++)
		h->load[i] = HOST_UNKNOWN;
}

/* Documentation/accounting/psi.rst: "some avg10=0.12 avg60=..." and "full avg10=...". */
static void read_pressure(struct host *h, enum host_pressure p)
{
	char path[64];
	_cleanup_free_ char *text = NULL;
	const char *full;

	snprintf(path, sizeof(path), "/proc/pressure/%s", host_pressure_name(p));
	text = file_read(path, 1024, NULL);
	h->pressure_some[p] = h->pressure_full[p] = HOST_UNKNOWN;
	if (!text)
		return;
	sscanf(text, "some avg10=%f", &h->pressure_some[p]);
	full = strstr(text, "full ");
	if (full)
		sscanf(full, "full avg10=%f", &h->pressure_full[p]);
}

static int64_t meminfo(const char *text, const char *key)
{
	const char *at = text ? strstr(text, key) : NULL;

	return at ? strtoll(at + strlen(key), NULL, 10) * 1024 : -1;
}

static void read_machine(struct host *h)
{
	_cleanup_free_ char *load = file_read("/proc/loadavg", 256, NULL);
	_cleanup_free_ char *memory = file_read("/proc/meminfo", 1024, NULL);

	if (load)
		sscanf(load, "%f %f %f", &h->load[0], &h->load[1], &h->load[2]);
	h->memory_total = meminfo(memory, "MemTotal:");
	h->memory_available = meminfo(memory, "MemAvailable:");
}

static uint64_t own_cpu_ns(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

static void read_self(struct host *h, uint64_t now_ns)
{
	_cleanup_free_ char *statm = file_read("/proc/self/statm", 256, NULL);
	uint64_t cpu = own_cpu_ns();
	int64_t pages;

	if (h->at_ns && now_ns > h->at_ns)
		h->own_cpu = (float)((double)(cpu - h->own_cpu_ns) * 100 / (double)(now_ns - h->at_ns));
	h->own_cpu_ns = cpu;
	if (statm && sscanf(statm, "%*d %" SCNd64, &pages) == 1)
		h->own_memory = pages * sysconf(_SC_PAGESIZE);
}

void host_read(struct host *h, uint64_t now_ns, uint64_t events)
{
	uint64_t length = now_ns - h->at_ns, more = events > h->events ? events - h->events : 0;

	for (size_t i = 0; i < PRESSURE_COUNT; i++)
		read_pressure(h, (enum host_pressure)i);
	read_machine(h);
	read_self(h, now_ns);
	if (h->at_ns && length) {
		h->rates[h->next] = (uint64_t)((double)more * 1e9 / (double)length + 0.5);
		h->next = (h->next + 1) % HOST_HISTORY;
		h->points += h->points < HOST_HISTORY;
	}
	h->at_ns = now_ns;
	h->events = events;
	h->read_ns = 0;
}

void host_note_hooks(struct host *h, uint64_t now_ns, uint64_t run_ns)
{
	bool both = run_ns && h->hooks_ns && run_ns >= h->hooks_ns && now_ns > h->at_ns;

	h->hooks_cpu = both ? (float)((double)(run_ns - h->hooks_ns) * 100 / (double)(now_ns - h->at_ns)) : HOST_UNKNOWN;
	h->hooks_ns = run_ns;
}

uint64_t host_rate(const struct host *h)
{
	return h->points ? h->rates[(h->next + HOST_HISTORY - 1) % HOST_HISTORY] : 0;
}
