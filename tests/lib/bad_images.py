#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bad_images.py GOOD-LAYOUT OUTPUT VICTIM: OCI layouts that lie or attack, each in OUTPUT/NAME.

VICTIM is a directory outside every root, which no image may change."""

import gzip
import io
import json
import os
import shutil
import sys
import tarfile

import oci


def layer_path(layout):
    manifest = json.loads(oci.read_blob(layout, oci.read_index(layout)["manifests"][0]["digest"]))
    return os.path.join(layout, "blobs", "sha256", manifest["layers"][0]["digest"][7:])


def copy(good, output, name):
    layout = os.path.join(output, name)
    shutil.copytree(good, layout)
    return layout


def spoil_bytes(good, output):
    path = layer_path(copy(good, output, "wrong-digest"))
    with open(path, "r+b") as f:
        f.seek(-20, os.SEEK_END)
        byte = f.read(1)
        f.seek(-20, os.SEEK_END)
        f.write(bytes([byte[0] ^ 0xFF]))

    path = layer_path(copy(good, output, "truncated"))
    os.truncate(path, os.path.getsize(path) // 2)

    os.unlink(layer_path(copy(good, output, "no-layer")))


def make_corrupt_gzip(output, base):
    """Its digest and size are right; only the stream inside is broken."""
    layout = os.path.join(output, "corrupt-gzip")

    def change(manifest):
        data = bytearray(gzip.compress(base, mtime=0))
        for i in range(len(data) // 2, len(data) // 2 + 64):
            data[i] ^= 0x5A
        digest, size = oci.put_blob(layout, bytes(data))
        manifest["layers"][0].update(digest=digest, size=size)

    oci.write_layout(layout, [base], change_manifest=change)


def make_wrong_diff_id(output, base):
    def change(config):
        config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]

    oci.write_layout(os.path.join(output, "wrong-diff-id"), [base], change_config=change)


def tar_of(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            if kind == "file":
                info.size = len(value)
                tar.addfile(info, io.BytesIO(value))
                continue
            info.type = {"symlink": tarfile.SYMTYPE, "link": tarfile.LNKTYPE, "dir": tarfile.DIRTYPE}[kind]
            info.linkname = value
            info.mode = 0o755
            tar.addfile(info)
    return out.getvalue()


def make_escapes(output, base, victim):
    up = "../" * 24
    inside = victim.lstrip("/")
    attacks = {
        "dotdot": tar_of((up + inside + "/made", "file", b"x"), (up + inside + "/file", "file", b"changed")),
        "absolute-symlink": tar_of(("evil", "symlink", victim), ("evil/made", "file", b"x"),
                                   ("evil/file", "file", b"changed")),
        "relative-symlink": tar_of(("evil", "symlink", up + inside), ("evil/made", "file", b"x"),
                                   ("evil/file", "file", b"changed")),
        "hardlink-out": tar_of(("evil", "link", up + inside + "/file"), ("evil", "file", b"changed")),
        "whiteout-dotdot": tar_of(("evil", "symlink", victim), ("evil/.wh.file", "file", b"")),
    }
    for name, tar in attacks.items():
        oci.write_layout(os.path.join(output, name), [base, tar], {"Cmd": ["sh"], "Env": ["PATH=/bin"]})


def main():
    good, output, victim = sys.argv[1:4]
    os.makedirs(output)
    os.makedirs(victim)
    with open(os.path.join(victim, "file"), "w", encoding="ascii") as f:
        f.write("untouched\n")
    with gzip.open(layer_path(good)) as f:
        base = f.read()
    spoil_bytes(good, output)
    make_corrupt_gzip(output, base)
    make_wrong_diff_id(output, base)
    make_escapes(output, base, victim)


main()
