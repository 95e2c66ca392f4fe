/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_PS_ROW_H
#define CTRACE_PS_ROW_H

/* A container as docker ps shows it. */

#include <json-c/json.h>
#include <stdbool.h>

#include "cmd/listing.h"
#include "engine/state.h"

enum { PS_COLUMN_SIZE = 7, PS_COLUMNS = 14 };
extern const struct listing_column ps_columns[PS_COLUMNS];

/* measured: its size is looked for, file by file. */
json_object *ps_row(const struct state *s, bool whole, bool measured);
/* "Up 5 minutes (Paused)", "Exited (0) 3 seconds ago"; the caller's. */
char *ps_status(const struct state *s);
/* "0.0.0.0:8080->80/tcp, 9000/tcp"; the caller's. */
char *ps_ports(const struct state *s);

#endif
