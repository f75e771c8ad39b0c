"""Pushing: blobs over broken connections, mounts, manifests byte for byte."""

from __future__ import annotations

import base64
import io
import json
import random

import pytest

from millefeuille.errors import MilleError
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.registry.refusal import AccessDenied, ServerFailed, UploadInvalid
from millefeuille.registry.upload import WrongUpload
from millefeuille.testing.faults import Fault
from millefeuille.testing.registry import FakeRegistry

DATA = random.Random(11).randbytes(1_500_000)
BLOB = Descriptor(media_type="application/octet-stream", digest=Digest.of(DATA), size=len(DATA))
UPLOADS = "/blobs/uploads/"


def source(data, opened=None):
    """What opens `data` at an offset; `opened` takes the offsets down."""

    def open_at(offset):
        if opened is not None:
            opened.append(offset)
        stream = io.BytesIO(data)
        stream.seek(offset)
        return stream

    return open_at


@pytest.fixture
def repository(registry, client):
    return client.repository(f"{registry.host}/team/app", push=True)


def test_one_post_and_one_put(repository, registry):
    repository.upload(BLOB, source(DATA))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA
    assert [r.method for r in registry.seen(UPLOADS)] == ["POST", "PUT"]
    closing = registry.seen("PUT")[0]
    assert "_state=secret" in closing.path  # the location's own query is kept
    assert closing.headers["Content-Length"] == str(len(DATA))


def test_empty_blob(repository, registry):
    empty = Descriptor(media_type="x", digest=Digest.of(b""), size=0)
    repository.upload(empty, source(b""))
    assert registry.blobs["team/app", str(empty.digest)] == b""


def test_knows_what_is_there(repository, registry):
    assert BLOB.digest not in repository
    registry.add_blob("team/app", DATA)
    assert BLOB.digest in repository


@pytest.mark.parametrize(("data", "words"), [(DATA[:-1], "shorter"), (DATA + b"x", "longer")])
def test_source_of_another_length(repository, registry, data, words):
    with pytest.raises(WrongUpload, match=words):
        repository.upload(BLOB, source(data))
    assert not registry.blobs


def test_source_with_other_bytes_is_refused_by_the_registry(repository, registry):
    with pytest.raises(UploadInvalid, match="digest invalid"):
        repository.upload(BLOB, source(DATA[::-1]))
    assert not registry.blobs


def test_source_that_fails(repository, registry):
    class Broken(io.BytesIO):
        def read(self, size=-1, /):
            raise OSError(5, "Input/output error")

    with pytest.raises(MilleError, match="the blob to be sent: input/output error"):
        repository.upload(BLOB, lambda offset: Broken())


@pytest.mark.parametrize(
    ("method", "status"),
    [("POST", 500), ("POST", 503), ("POST", 429), ("PUT", 500), ("PUT", 502), ("PUT", 429), ("PUT", 404)],
)
def test_passing_failures_are_mended(repository, registry, status, method):
    registry.faults.append(Fault(where=method, status=status))
    repository.upload(BLOB, source(DATA))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA


def test_failures_without_end(repository, registry, client):
    registry.faults.append(Fault(where="PUT", times=99, status=500))
    with pytest.raises(ServerFailed, match="received unexpected HTTP status: 500 Internal Server Error"):
        repository.upload(BLOB, source(DATA))
    assert len(registry.seen("PUT")) == 5


def test_broken_upload_goes_on_where_the_registry_says(repository, registry):
    opened = []
    registry.faults.append(Fault(where="PUT", keep=500_000))
    repository.upload(BLOB, source(DATA, opened))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA
    assert opened == [0, 500_000]
    assert [r.method for r in registry.seen(UPLOADS)] == ["POST", "PUT", "GET", "PATCH", "PUT"]
    assert registry.seen("PATCH")[0].headers["Content-Range"] == "500000-1499999"


def test_chunk_answered_as_amazon_does(repository, registry):
    registry.faults.append(Fault(where="PUT", keep=500_000))
    registry.patched = 201
    repository.upload(BLOB, source(DATA))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA


def test_broken_upload_that_was_kept_wrongly_starts_again(repository, registry):
    opened = []
    registry.faults.append(Fault(where="PUT", keep=500_000))
    registry.faults.append(Fault(where="GET .*/uploads/", status=204, headers={"Range": "0-499998"}))
    registry.lenient = True
    repository.upload(BLOB, source(DATA, opened))
    assert opened == [0, 499_999, 0]
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA


def test_answer_that_never_comes_is_asked_for(repository, registry):
    registry.faults.append(Fault(where="PUT", silent=True))
    repository.upload(BLOB, source(DATA))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA
    assert len(registry.seen("PUT")) == 1


def test_registry_that_stored_something_else(repository, registry):
    registry.faults.append(Fault(where="PUT", headers={"Docker-Content-Digest": str(Digest.of(b"x"))}))
    with pytest.raises(WrongUpload, match="stored other bytes"):
        repository.upload(BLOB, source(DATA))


def test_location_on_another_host_gets_no_account(make_client):
    auth = base64.b64encode(b"user:pw-canary").decode()
    with (
        FakeRegistry(auth="basic", users={"user": "pw-canary"}) as registry,
        FakeRegistry(address="127.0.0.2") as other,
    ):
        client = make_client({"DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"auth": auth}}})})
        other.sessions["s"] = bytearray()
        location = f"{other.url}/v2/team/app/blobs/uploads/s"
        registry.faults.append(Fault(where="POST", status=202, headers={"Location": location}))
        client.repository(f"{registry.host}/team/app", push=True).upload(BLOB, source(DATA))
        assert other.blobs["team/app", str(BLOB.digest)] == DATA
        assert all("Authorization" not in request.headers for request in other.requests)


def test_token_that_expires_during_the_upload(make_client):
    auth = base64.b64encode(b"user:pw").decode()
    with FakeRegistry(auth="bearer", users={"user": "pw"}) as registry:
        client = make_client({"DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"auth": auth}}})})
        wanted = f'Bearer realm="{registry.url}/token",service="fake",error="invalid_token"'
        challenge = {"WWW-Authenticate": wanted}
        registry.faults.append(Fault(where="PUT", status=401, headers=challenge))
        client.repository(f"{registry.host}/team/app", push=True).upload(BLOB, source(DATA))
        assert registry.blobs["team/app", str(BLOB.digest)] == DATA
        assert "pull%2Cpush" in registry.seen("/token")[0].path


@pytest.mark.parametrize("status", [401, 503])
def test_answer_before_the_body_was_read(make_client, status):
    """Most of the body cannot be sent any more; the answer is read all the same."""
    auth = base64.b64encode(b"user:pw").decode()
    data = DATA * 10
    blob = Descriptor(media_type="x", digest=Digest.of(data), size=len(data))
    with FakeRegistry(auth="bearer", users={"user": "pw"}) as registry:
        client = make_client({"DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"auth": auth}}})})
        challenge = {"WWW-Authenticate": f'Bearer realm="{registry.url}/token",service="fake"'}
        registry.faults.append(Fault(where="PUT", status=status, early=True, headers=challenge))
        client.repository(f"{registry.host}/team/app", push=True).upload(blob, source(data))
        assert registry.blobs["team/app", str(blob.digest)] == data


def test_mount(repository, registry):
    registry.add_blob("other/app", DATA)
    assert repository.mount(BLOB.digest, "other/app") is True
    assert BLOB.digest in repository


def test_mount_that_opens_an_upload_is_continued(repository, registry):
    assert repository.mount(BLOB.digest, "other/app") is False
    repository.upload(BLOB, source(DATA))
    assert [r.method for r in registry.seen(UPLOADS)] == ["POST", "PUT"]


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_mount_that_is_refused(repository, registry, status):
    registry.faults.append(Fault(where="POST", status=status))
    assert repository.mount(BLOB.digest, "other/app") is False


def test_mount_that_fails_is_not_tried_again(repository, registry, client):
    registry.faults.append(Fault(where="POST", times=99, status=500))
    assert repository.mount(BLOB.digest, "other/app") is False
    assert len(registry.seen("POST")) == 1
    assert client.slept == []


def test_mount_with_a_redirect_that_is_not_followed(repository, registry):
    registry.faults.append(Fault(where="POST", status=202, headers={"Location": "ftp://a.example/x"}))
    assert repository.mount(BLOB.digest, "other/app") is False
    repository.upload(BLOB, source(DATA))
    assert registry.blobs["team/app", str(BLOB.digest)] == DATA


def test_mount_whose_token_is_refused(make_client):
    """A token server may refuse a token for two repositories; one of them can be written to all the same."""
    auth = base64.b64encode(b"user:pw").decode()
    with FakeRegistry(auth="bearer", users={"user": "pw"}) as registry:
        client = make_client({"DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"auth": auth}}})})
        registry.faults.append(Fault(where="/token.*other", times=99, status=403))
        repository = client.repository(f"{registry.host}/team/app", push=True)
        assert repository.mount(BLOB.digest, "other/app") is False
        repository.upload(BLOB, source(DATA))
        assert registry.blobs["team/app", str(BLOB.digest)] == DATA


def test_manifest_is_stored_byte_for_byte(repository, registry):
    raw = b'{ "schemaVersion":2 }\n  '
    described = Descriptor(media_type=mediatype.DOCKER_MANIFEST, digest=Digest.of(raw), size=len(raw))
    repository.put_manifest(described, raw)
    repository.put_manifest(described, raw, "1")
    assert registry.manifests["team/app", "1"] == (mediatype.DOCKER_MANIFEST, raw)
    assert registry.manifests["team/app", str(described.digest)] == (mediatype.DOCKER_MANIFEST, raw)


@pytest.mark.parametrize(
    ("status", "code", "message", "words"),
    [
        (401, "UNAUTHORIZED", "authentication required", "unauthorized: authentication required"),
        (403, "DENIED", "requested access to the resource is denied",
         "denied: requested access to the resource is denied"),
    ],
)  # fmt: skip
def test_docker_s_words_for_a_refused_push(repository, registry, status, code, message, words):
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    registry.faults.append(Fault(where="POST", times=9, status=status, body=body))
    with pytest.raises(AccessDenied) as caught:
        repository.upload(BLOB, source(DATA))
    assert str(caught.value) == words
