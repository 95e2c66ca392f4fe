/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_SERVICE_H
#define CTRACE_SERVICE_H

/* Tells the service manager that started this process (sd_notify(3)): lines like "READY=1". Without one, or when it does not
 * listen, nothing happens: whoever needs the answer asks the manager. */
void service_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
