# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own: type, wait for text, resize."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time


class Terminal:
    def __init__(self, command, rows=40, columns=100):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvp(command[0], command)
        self.before = termios.tcgetattr(self.fd)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        """What comes within that time; False at the end of the program's output."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the other side open
            return False
        self.text += got.decode(errors="replace")
        return bool(got)

    def wait_for(self, pattern, seconds=20):
        """The match of a regular expression in what was printed since the last call, or None."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return found
            if time.monotonic() > deadline or not self.read(0.1):
                found = re.search(pattern, self.text)
                if found:
                    self.text = self.text[found.end():]
                return found

    def exit_code(self, seconds=20):
        """Of the program, -N where signal N ended it; None when it goes on."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)
        return None

    def is_as_before(self):
        """Whether the terminal's modes are those that the program found."""
        return termios.tcgetattr(self.fd)[:4] == self.before[:4]

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
