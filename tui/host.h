/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TUI_HOST_H
#define CTRACE_TUI_HOST_H

/* The machine, and what ctrace itself costs it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_HISTORY = 120, HOST_UNKNOWN = -1 };

enum host_pressure { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_COUNT };

struct host {
	float pressure_some[PRESSURE_COUNT], pressure_full[PRESSURE_COUNT]; /* avg10 in percent; -1 = not told */
	float load[3];
	int64_t memory_total, memory_available; /* bytes, -1 = unknown */
	float own_cpu;     /* percent of one CPU since the reading before, -1 = unknown */
	int64_t own_memory; /* bytes resident */
	float hooks_cpu;   /* percent of one CPU that ctrace's programs took in everybody's processes, -1 = not counted */
	uint64_t hooks_ns; /* in all, of the last reading; 0 = not counted */
	uint64_t read_ns;  /* the longest time that one reading of events took since the reading before */
	uint64_t rates[HOST_HISTORY]; /* events in each second; a ring, the newest before `next` */
	size_t points, next;
	uint64_t at_ns, own_cpu_ns, events; /* of the last reading */
};

void host_init(struct host *h);
/* Reads /proc, and notes how many events there were since the last time. */
void host_read(struct host *h, uint64_t now_ns, uint64_t events);
/* How long the programs have run by now, in all; 0 = that is not counted. Before host_read. */
void host_note_hooks(struct host *h, uint64_t now_ns, uint64_t run_ns);
/* Events a second over the last reading. */
uint64_t host_rate(const struct host *h);

const char *host_pressure_name(enum host_pressure p);

#endif
