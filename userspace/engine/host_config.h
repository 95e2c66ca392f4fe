/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_HOST_CONFIG_H
#define CTRACE_HOST_CONFIG_H

#include "engine/settings.h"

/* What of the settings neither config.json nor the rest of the state tells any more, and differs from the default, as a JSON
 * object with the names of docker's HostConfig; "" where there is nothing. The caller's. For inspect. */
char *host_config_text(const struct run_settings *s);

#endif
