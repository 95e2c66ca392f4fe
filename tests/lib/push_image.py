#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""push_image.py HOST:PORT LAYOUT REPOSITORY:TAG: the first image of an OCI layout into a registry,
by the distribution protocol (POST + PUT of blobs, PUT of the manifest)."""

import http.client
import json
import sys
from urllib.parse import urlsplit

import oci


def request(host, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def expect(response, status, what):
    if response.status != status:
        sys.exit("push_image: %s: the registry answered %d" % (what, response.status))
    return response


def push_blob(host, repository, layout, digest):
    if request(host, "HEAD", "/v2/%s/blobs/%s" % (repository, digest)).status == 200:
        return
    begun = expect(request(host, "POST", "/v2/%s/blobs/uploads/" % repository,
                           headers={"Content-Length": "0"}), 202, "upload of " + digest)
    url = urlsplit(begun.getheader("Location"))
    path = "%s?%s&digest=%s" % (url.path, url.query, digest)
    expect(request(host, "PUT", path, oci.read_blob(layout, digest),
                   {"Content-Type": "application/octet-stream"}), 201, "blob " + digest)


def main():
    host, layout, reference = sys.argv[1:4]
    repository, tag = reference.rsplit(":", 1)
    descriptor = oci.read_index(layout)["manifests"][0]
    data = oci.read_blob(layout, descriptor["digest"])
    manifest = json.loads(data)
    for blob in [manifest["config"]] + manifest["layers"]:
        push_blob(host, repository, layout, blob["digest"])
    expect(request(host, "PUT", "/v2/%s/manifests/%s" % (repository, tag), data,
                   {"Content-Type": descriptor["mediaType"]}), 201, "manifest " + reference)


main()
