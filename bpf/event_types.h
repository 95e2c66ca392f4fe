/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef CTRACE_EVENT_TYPES_H
#define CTRACE_EVENT_TYPES_H

/* event.h for user space: brings the fixed-width types that bpf/ takes from elsewhere. */
#include <linux/types.h>

#include "bpf/event.h"

#endif
