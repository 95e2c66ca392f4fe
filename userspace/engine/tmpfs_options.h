/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TMPFS_OPTIONS_H
#define CTRACE_TMPFS_OPTIONS_H

#include "util/error.h"

/* Checks the options of a --tmpfs ("size=1m,mode=700,exec"), tmpfs(5) and mount(8): one that is unknown, or has a value that the
 * kernel would refuse, is -EINVAL and named. */
int tmpfs_options_check(const char *options, struct error *err);

#endif
