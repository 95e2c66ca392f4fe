/* SPDX-License-Identifier: Apache-2.0 */
#include "util/proc_stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

uint64_t proc_start_ticks(pid_t pid, char *ret_state)
{
	char path[64], text[1024], state;
	unsigned long long ticks;
	_cleanup_close_ int fd = -1;
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name may hold blanks and brackets: count from its end */
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			&state, &ticks) != 2)
		return 0;
	if (ret_state)
		*ret_state = state;
	return ticks;
}
