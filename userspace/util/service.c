/* SPDX-License-Identifier: Apache-2.0 */
#include "util/service.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util/cleanup.h"

/* "/path", or "@name" of an abstract socket. */
static socklen_t parse_address(const char *text, struct sockaddr_un *ret)
{
	size_t length = text ? strlen(text) : 0;

	if (length < 2 || length >= sizeof(ret->sun_path) || (*text != '/' && *text != '@'))
		return 0;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, text, length);
	if (*text == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void service_notify(const char *format, ...)
{
	struct sockaddr_un address;
	socklen_t length = parse_address(getenv("NOTIFY_SOCKET"), &address);
	_cleanup_close_ int fd = length ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	char text[2048];
	va_list args;

	if (fd < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, length);
}
