# SPDX-License-Identifier: Apache-2.0
"""deny.py ERRNO SYSCALL[,SYSCALL...] COMMAND...: runs the command under a seccomp filter that refuses these calls with
that errno (as EPERM), or kills the process that makes one (KILL). Known: bpf, perf_event_open, memfd_create.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"bpf": 321, "perf_event_open": 298, "memfd_create": 319},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "memfd_create": 279},
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO, KILL_PROCESS = 0x7fff0000, 0x00050000, 0x80000000


def main():
    result, names, command = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    refuse = KILL_PROCESS if result == "KILL" else ERRNO | getattr(errno, result)
    program = struct.pack("HBBI", LOAD, 0, 0, 0)  # the number of the call
    for name in names:
        program += struct.pack("HBBI", JUMP_IF_EQUAL, 0, 1, NUMBERS[platform.machine()][name])
        program += struct.pack("HBBI", RETURN, 0, 0, refuse)
    program += struct.pack("HBBI", RETURN, 0, 0, ALLOW)
    code = ctypes.create_string_buffer(program)
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
