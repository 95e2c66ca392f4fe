/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUNTIME_DOC_INTERNAL_H
#define CTRACE_RUNTIME_DOC_INTERNAL_H

#include <stddef.h>

#include "util/error.h"

enum { DOC_DEPTH_MAX = 64 };

/* -EINVAL where the text is not one JSON object by RFC 8259, or has a name twice in an object. */
int doc_scan(const char *text, size_t length, struct error *err);

#endif
