#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an OCI layout from tars: make_layout.py DIR LAYER.tar[.gz|.zst|.badid]...

.gz is compressed here from LAYER.tar, .zst is taken as it is (zstd -d must give its diff id's tar);
the suffix .badid states a wrong diff id.
"""
import gzip
import hashlib
import json
import os
import subprocess
import sys

out, layers = sys.argv[1], sys.argv[2:]
os.makedirs(out + "/blobs/sha256", exist_ok=True)


def put(data):
    digest = hashlib.sha256(data).hexdigest()
    with open(out + "/blobs/sha256/" + digest, "wb") as f:
        f.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def read(name):
    with open(name, "rb") as f:
        return f.read()


diff_ids, descriptors = [], []
for name in layers:
    kind = "tar"
    if name.endswith(".badid"):
        blob = tar = read(name[:-6])
        tar += b"x"
    elif name.endswith(".gz"):
        blob = read(name)
        tar = gzip.decompress(blob)
        kind = "tar+gzip"
    elif name.endswith(".zst"):
        blob = read(name)
        tar = subprocess.run(["zstd", "-dcq", name], check=True, stdout=subprocess.PIPE).stdout
        kind = "tar+zstd"
    else:
        blob = tar = read(name)
    diff_ids.append("sha256:" + hashlib.sha256(tar).hexdigest())
    descriptors.append(dict(put(blob), mediaType="application/vnd.oci.image.layer.v1." + kind))
config = put(json.dumps({
    "os": "linux", "architecture": "amd64", "created": "2024-05-01T12:00:00Z",
    "config": {"Cmd": ["/bin/true"]},
    "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode())
manifest = put(json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": dict(config, mediaType="application/vnd.oci.image.config.v1+json"),
    "layers": descriptors}).encode())
with open(out + "/oci-layout", "w") as f:
    f.write('{"imageLayoutVersion":"1.0.0"}')
with open(out + "/index.json", "w") as f:
    json.dump({"schemaVersion": 2, "manifests": [dict(
        manifest, mediaType="application/vnd.oci.image.manifest.v1+json",
        annotations={"org.opencontainers.image.ref.name": "latest"})]}, f)
