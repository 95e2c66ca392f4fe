/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_RUN_OPTIONS_H
#define CTRACE_RUN_OPTIONS_H

#include <stdio.h>

#include "engine/settings.h"

/* Reads argv as docker run and create do (command: "run" or "create"): options until IMAGE, everything behind it is CMD.
 * With --rootfs or --bundle there is no IMAGE. The settings are checked (run_settings_check) except when
 * help was asked for. Needs run_settings_init before, run_settings_free after, also when it fails. */
int run_options_parse(const char *command, char **argv, struct run_settings *s, struct error *err);
void run_options_help(const char *command, FILE *out);

#endif
