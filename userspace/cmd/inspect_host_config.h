/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_INSPECT_HOST_CONFIG_H
#define CTRACE_INSPECT_HOST_CONFIG_H

#include <json-c/json.h>

#include "engine/state.h"

/* What a container was asked for, in the shape of docker's HostConfig. config: its config.json, or NULL. The caller's. */
json_object *inspect_host_config(const struct state *s, json_object *config);

/* {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "9000/tcp": null}; exposed NULL: not where ports are, but what was asked for. The caller's. */
json_object *inspect_ports(const struct string_list *list, const struct string_list *exposed);

#endif
