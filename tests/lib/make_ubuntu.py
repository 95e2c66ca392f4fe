#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_ubuntu.py MINBASE.tar LAYOUT: a two-layer image that stands in for library/ubuntu in tests."""

import io
import sys
import tarfile

import oci

OS_RELEASE = b"""ID=ubuntu-like
NAME="not Ubuntu"
PRETTY_NAME="Debian minbase that stands in for ubuntu in ctrace's tests"
"""


def top_layer():
    """A changed file, a whiteout, an opaque directory with one new file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        add(tar, "usr/lib/os-release", OS_RELEASE)
        add(tar, "etc/.wh.issue.net", b"")
        add(tar, "etc/apt/apt.conf.d/.wh..wh..opq", b"")
        add(tar, "etc/apt/apt.conf.d/99ctrace-test", b"// the only file here\n")
    return out.getvalue()


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(data))


def main():
    with open(sys.argv[1], "rb") as f:
        base = f.read()
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
              "Cmd": ["/bin/bash"]}
    oci.write_layout(sys.argv[2], [base, top_layer()], config)


main()
