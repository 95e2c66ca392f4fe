/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>

#include "capture/capture_internal.h"
#include "capture/hooks_internal.h"
#include "util/cleanup.h"
#include "util/file.h"

static bool are_counted(void)
{
	_cleanup_free_ char *text = file_read("/proc/sys/kernel/bpf_stats_enabled", 16, NULL);

	return text && atoi(text) != 0;
}

size_t capture_program_times(const struct capture *c, struct program_time *ret, size_t most)
{
	size_t count = 0;

	if (!are_counted())
		return 0;
	for (size_t row = 0; row < hook_count && count < most; row++) {
		const struct bpf_program *program = hooks_program(&c->hooks, row);
		struct bpf_prog_info info = { 0 };
		__u32 length = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0)
			ret[count++] = (struct program_time){ bpf_program__name(program), info.run_time_ns };
	}
	return count;
}
