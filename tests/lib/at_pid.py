# SPDX-License-Identifier: Apache-2.0
"""at_pid.py PID COMMAND...: runs the command as the process PID, which must be free, and exits as it does.

The next pid of a namespace can be set; others on the machine may take it first, so this tries again.
It exits with 125 where it cannot be had.
"""

import os
import sys

TRIES = 400


def main():
    wanted, command = int(sys.argv[1]), sys.argv[2:]
    for _ in range(TRIES):
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as f:
            f.write(str(wanted - 1))
        pid = os.fork()
        if pid == 0:
            if os.getpid() != wanted:
                os._exit(0)
            os.execvp(command[0], command)
        status = os.waitpid(pid, 0)[1]
        if pid == wanted:
            return os.waitstatus_to_exitcode(status) % 256
    return 125


if __name__ == "__main__":
    sys.exit(main())
