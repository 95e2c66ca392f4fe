/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_LOSSES_H
#define CTRACE_LOSSES_H

#include "capture/capture_internal.h"

/* Makes an EVENT_LOST for every counter that grew since it was last told; final: for every counter
 * that is not zero. */
void losses_push(struct capture *capture, uint64_t now_ns, bool final);

#endif
