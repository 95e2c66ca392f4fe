# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a process has loaded into the kernel. Needs bpftool for the second half.

# programs_of PID: the ids of the BPF programs that the process holds, one a line.
programs_of()
{
	cat "/proc/$1/fdinfo/"* 2>/dev/null | awk '/^prog_id:/ { print $2 }' | sort -un
}

# programs_gone ID...: none of these is in the kernel any more. False without ids: that would show nothing.
programs_gone()
{
	local id

	[ $# -gt 0 ] || return 1
	for id; do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}
