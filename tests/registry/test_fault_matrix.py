"""Every fault on every kind of request: the right bytes or one clear error, and never a hang."""

from __future__ import annotations

import base64
import io
import json

import pytest

from millefeuille.errors import MilleError
from millefeuille.oci import manifest as manifests
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.testing.faults import Fault
from millefeuille.testing.registry import FakeRegistry

LAYER = bytes(range(256)) * 1200
PASSWORD = "matrix-canary"

REQUESTS = {
    "ping": r"GET /v2/$",
    "token": r"/token",
    "manifest-head": r"HEAD .*/manifests/",
    "manifest-get": r"GET .*/manifests/",
    "blob": r"GET .*/blobs/",
    "blob-head": r"HEAD .*/blobs/",
    "upload-start": r"POST .*/uploads/",
    "upload-put": r"PUT .*/uploads/",
    "manifest-put": r"PUT .*/manifests/",
}

FAULTS = {
    "truncate": {"truncate": 7},
    "truncate-all": {"truncate": 0},
    "reset": {"reset": 5},
    "silent": {"silent": True},
    "stall": {"stall": 3},
    "corrupt": {"corrupt": 2},
    "extra": {"extra": b"surplus"},
    "short-length": {"headers": {"Content-Length": "1"}},
    "long-length": {"headers": {"Content-Length": "999999999"}, "truncate": 1 << 20},
    "bad-length": {"headers": {"Content-Length": "many"}},
    "no-digest": {"drop": frozenset({"docker-content-digest"})},
    "other-digest": {"headers": {"Docker-Content-Digest": "sha256:" + "0" * 64}},
    "no-type": {"drop": frozenset({"content-type"})},
    "gzip": {"headers": {"Content-Encoding": "gzip"}},
    "chunked": {"chunked": True},
    "no-location": {"drop": frozenset({"location"})},
    "html": {"status": 200, "body": b"<html>hello</html>"},
    "empty": {"status": 200},
    "no-content": {"status": 204},
    "loop": {"status": 307, "headers": {"Location": "/v2/loop"}},
    "partial": {"status": 206, "headers": {"Content-Range": "bytes 1-2/3"}, "body": b"xx"},
    **{str(status): {"status": status} for status in (400, 401, 403, 404, 405, 408, 416, 429, 500, 502, 503)},
    "retry-after": {"status": 503, "headers": {"Retry-After": "1"}},
    "retry-after-long": {"status": 429, "headers": {"Retry-After": "86400"}},
    "bad-challenge": {"status": 401, "headers": {"WWW-Authenticate": "Bearer realm=,,x"}},
}

# What happens once is made good by asking again, or does no harm at all.
MENDED = {"truncate", "truncate-all", "reset", "silent", "stall", "chunked", "no-digest", "no-type"}
MENDED |= {"408", "429", "500", "502", "503", "retry-after"}


def pull(client, name):
    repository = client.repository(name)
    descriptor, raw = repository.manifest(Reference.parse(name))
    assert Digest.of(raw) == descriptor.digest
    layer = manifests.parse(raw, descriptor.media_type).layers[0]
    buffer, parts = bytearray(1 << 16), []
    with repository.open(layer) as stream:
        while count := stream.readinto(buffer):
            parts.append(bytes(buffer[:count]))
    return b"".join(parts)


def push(client, name):
    repository = client.repository(name, push=True)
    blob = Descriptor(media_type=mediatype.OCI_LAYER, digest=Digest.of(LAYER), size=len(LAYER))
    if blob.digest not in repository:
        repository.upload(blob, lambda offset: io.BytesIO(LAYER[offset:]))
    raw = json.dumps({"schemaVersion": 2, "config": blob.to_json(), "layers": [blob.to_json()]}).encode()
    described = Descriptor(media_type=mediatype.OCI_MANIFEST, digest=Digest.of(raw), size=len(raw))
    repository.put_manifest(described, raw, "pushed")
    return raw


@pytest.fixture
def running():
    with FakeRegistry(auth="bearer", users={"user": PASSWORD}) as registry:
        registry.add_image("team/app", "1", [LAYER], layer_type=mediatype.OCI_LAYER)
        yield registry


@pytest.mark.parametrize(
    "times", [pytest.param(1, id="once"), pytest.param(99, id="always", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("request_kind", REQUESTS)
def test_cell(running, make_client, request_kind, fault, times):
    if fault == "stall" and times == 99:
        times = 2  # Each costs a timeout.
    auth = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    client = make_client({"DOCKER_AUTH_CONFIG": json.dumps({"auths": {running.host: {"auth": auth}}})})
    client.timeout = 0.2
    running.faults.append(Fault(where=REQUESTS[request_kind], times=times, **FAULTS[fault]))
    for act, name in ((pull, "team/app:1"), (push, "team/new:x")):
        try:
            found = act(client, f"{running.host}/{name}")
        except MilleError as error:
            assert times > 1 or fault not in MENDED, error
            text = f"{error} {error.advice} {error!r}"
            assert len(str(error).splitlines()) == 1
            assert PASSWORD not in text
            assert auth not in text
            assert "token-" not in text
            continue
        if act is pull and fault != "corrupt":
            assert found == LAYER
        if act is push and not (request_kind == "manifest-put" and fault in ("html", "empty", "no-content")):
            assert running.manifests["team/new", "pushed"][1] == found
    assert len(running.requests) < 80
