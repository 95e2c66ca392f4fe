# SPDX-License-Identifier: Apache-2.0
"""Makes OCI image layouts from tar bytes; reads them."""

import gzip
import hashlib
import json
import os
import platform

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEX = "application/vnd.oci.image.index.v1+json"


def architecture():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put_blob(layout, data):
    digest = digest_of(data)
    path = os.path.join(layout, "blobs", "sha256")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, digest[7:]), "wb") as f:
        f.write(data)
    return digest, len(data)


def write_layout(layout, layers, config=None, name="latest", change_config=None, change_manifest=None):
    """layers: uncompressed tars as bytes, lowest first. change_*: functions that may spoil the documents."""
    diff_ids = []
    descriptors = []
    for tar in layers:
        diff_ids.append(digest_of(tar))
        digest, size = put_blob(layout, gzip.compress(tar, compresslevel=6, mtime=0))
        descriptors.append({"mediaType": LAYER, "digest": digest, "size": size})
    document = {"architecture": architecture(), "os": "linux", "config": config or {},
                "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    if change_config:
        change_config(document)
    config_digest, config_size = put_blob(layout, json.dumps(document).encode())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "digest": config_digest, "size": config_size},
                "layers": descriptors}
    if change_manifest:
        change_manifest(manifest)
    digest, size = put_blob(layout, json.dumps(manifest).encode())
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": digest, "size": size,
         "annotations": {"org.opencontainers.image.ref.name": name}}]}
    with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as f:
        json.dump(index, f)
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    return digest


def read_blob(layout, digest):
    with open(os.path.join(layout, "blobs", "sha256", digest.split(":", 1)[1]), "rb") as f:
        return f.read()


def read_blob_layers(layout):
    """The uncompressed layers of a layout's first image, lowest first."""
    manifest = json.loads(read_blob(layout, read_index(layout)["manifests"][0]["digest"]))
    return [gzip.decompress(read_blob(layout, entry["digest"])) for entry in manifest["layers"]]


def read_index(layout):
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as f:
        return json.load(f)
