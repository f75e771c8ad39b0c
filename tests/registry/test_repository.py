"""Resolving and fetching manifests; mirrors; Docker's words for what goes wrong."""

from __future__ import annotations

import json

import pytest

from millefeuille.errors import MilleError
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import InvalidManifest
from millefeuille.oci.reference import Reference
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.refusal import (
    AccessDenied,
    ManifestUnknown,
    RateLimited,
    RepositoryUnknown,
    ServerFailed,
)
from millefeuille.registry.registriesconf import Entry, Location
from millefeuille.registry.repository import WrongManifest
from millefeuille.testing.faults import Fault
from millefeuille.testing.registry import FakeRegistry

MANIFEST = ".*/manifests/"


@pytest.fixture
def image(registry):
    return registry.add_image("team/app", "1", [b"layer"])


@pytest.fixture
def name(registry):
    return Reference.parse(f"{registry.host}/team/app:1")


@pytest.fixture
def repository(client, name):
    return client.repository(str(name))


def error_body(code, message):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


class TestResolve:
    def test_by_head_alone(self, repository, name, image, registry):
        assert repository.resolve(name) == image
        assert [r.method for r in registry.seen(MANIFEST)] == ["HEAD"]
        assert registry.seen(MANIFEST)[0].headers["Accept"] == mediatype.ACCEPT

    @pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
    def test_by_get_where_head_fails(self, repository, name, image, registry, status):
        registry.faults.append(Fault(where="HEAD", status=status))
        assert repository.resolve(name) == image
        assert repository.manifest(repository.resolve(name))[0] == image

    def test_by_get_without_a_digest_header(self, repository, name, image, registry):
        registry.faults.append(Fault(where="HEAD", drop=frozenset({"docker-content-digest"})))
        assert repository.resolve(name) == image
        repository.manifest(image)
        assert len(registry.seen("GET" + MANIFEST)) == 1  # what was read is not read again

    @pytest.mark.parametrize("digest", ["sha256:../../etc", "md5:" + "0" * 32, "sha256:" + "A" * 64, "x"])
    def test_bad_digest_header_is_not_believed(self, repository, name, image, registry, digest):
        registry.faults.append(Fault(where="HEAD", headers={"Docker-Content-Digest": digest}))
        assert repository.resolve(name) == image

    @pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "many"])
    def test_length_that_is_no_number_counts_for_none(self, repository, name, image, registry, length):
        registry.faults.append(Fault(where="HEAD", headers={"Content-Length": length}))
        assert repository.resolve(name) == image

    def test_size_of_head_is_only_a_bound(self, repository, name, image, registry):
        registry.faults.append(Fault(where="HEAD", headers={"Content-Length": "7"}))
        announced = repository.resolve(name)
        descriptor, raw = repository.manifest(announced)
        assert descriptor == image
        assert len(raw) == image.size

    def test_parameters_of_the_content_type_are_cut(self, repository, name, image, registry):
        registry.faults.append(
            Fault(where="HEAD", headers={"Content-Type": f"{mediatype.OCI_MANIFEST}; charset=utf-8"})
        )
        assert repository.resolve(name).media_type == mediatype.OCI_MANIFEST

    def test_digest_wins_over_tag(self, repository, registry, image):
        other = registry.add_image("team/app", "1", [b"newer"])
        pinned = Reference.parse(f"{registry.host}/team/app:1@{image.digest}")
        assert repository.resolve(pinned) == image
        assert other != image
        assert all(str(image.digest) in r.path for r in registry.seen(MANIFEST))


class TestManifest:
    def test_bytes_are_those_of_the_registry(self, repository, name, image, registry):
        descriptor, raw = repository.manifest(name)
        assert (descriptor, raw) == (image, registry.manifests["team/app", "1"][1])

    def test_wrong_bytes(self, repository, image, registry):
        registry.faults.append(Fault(where="GET" + MANIFEST, corrupt=3))
        with pytest.raises(WrongManifest, match="its digest is"):
            repository.manifest(image)

    def test_wrong_bytes_by_tag_contradict_the_header(self, repository, name, image, registry):
        registry.faults.append(Fault(where="HEAD", status=404))
        registry.faults.append(Fault(where="GET" + MANIFEST, corrupt=3))
        with pytest.raises(WrongManifest):
            repository.resolve(name)

    def test_swapped_between_head_and_get(self, repository, name, image, registry):
        announced = repository.resolve(name)
        registry.add_image("team/app", "1", [b"newer"])
        assert repository.manifest(announced)[0] == image

    def test_size_of_an_index_entry_must_be_right(self, repository, image):
        wrong = Descriptor(media_type=image.media_type, digest=image.digest, size=image.size + 1)
        with pytest.raises(WrongManifest, match=f"{image.size} bytes, not {image.size + 1}"):
            repository.manifest(wrong)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_large(self, repository, registry, name, chunked):
        registry.add_manifest("team/app", b" " * ((4 << 20) + 1), tag="1")
        registry.faults.append(Fault(where="GET", chunked=chunked))
        with pytest.raises(InvalidManifest, match="larger than 4194304 bytes"):
            repository.manifest(name)

    def test_as_large_as_allowed(self, repository, registry, name):
        described = registry.add_manifest("team/app", b" " * (4 << 20), tag="1")
        assert repository.manifest(name)[0] == described

    @pytest.mark.parametrize("fault", [{"truncate": 50}, {"reset": 0}, {"stall": 10}, {"status": 503}])
    def test_passing_failures_are_mended(self, repository, name, image, registry, fault):
        registry.faults.append(Fault(where="GET" + MANIFEST, **fault))
        assert repository.manifest(name)[0] == image


WORDS = [
    (404, error_body("MANIFEST_UNKNOWN", "manifest unknown"), ManifestUnknown,
     "manifest for {name} not found: manifest unknown: manifest unknown"),
    (404, b"", ManifestUnknown, "manifest for {name} not found: manifest unknown: manifest unknown"),
    (404, b"<html>", ManifestUnknown, "manifest for {name} not found: manifest unknown: manifest unknown"),
    (404, error_body("NAME_UNKNOWN", "repository name not known to registry"), RepositoryUnknown,
     "repository {repository} not found: name unknown: repository name not known to registry"),
    (401, error_body("UNAUTHORIZED", "authentication required"), AccessDenied,
     "unauthorized: authentication required"),
    (403, error_body("DENIED", "requested access to the resource is denied"), AccessDenied,
     "pull access denied for {repository}, repository does not exist or may require 'mille login': "
     "denied: requested access to the resource is denied"),
    (403, b"", AccessDenied,
     "pull access denied for {repository}, repository does not exist or may require 'mille login': "
     "denied: requested access to the resource is denied"),
    (429, error_body("TOOMANYREQUESTS", "You have reached your pull rate limit."), RateLimited,
     "toomanyrequests: You have reached your pull rate limit."),
    (429, b"Too Many Requests (HAP429)\r\n", RateLimited, "toomanyrequests: Too Many Requests (HAP429)"),
    (500, b"", ServerFailed, "received unexpected HTTP status: 500 Internal Server Error"),
    (503, b"<html>", ServerFailed, "received unexpected HTTP status: 503 Service Unavailable"),
    (418, b"short and stout", MilleError,
     "received unexpected HTTP status: 418 I'm a Teapot: short and stout"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "words"), WORDS)
def test_docker_s_words(repository, name, registry, status, body, kind, words):
    registry.faults.append(Fault(where=MANIFEST, times=99, status=status, body=body))
    with pytest.raises(kind) as caught:
        repository.resolve(name)
    assert str(caught.value) == words.format(name=name, repository=name.name)


def test_words_of_a_server_are_made_harmless(repository, name, registry):
    body = error_body("DENIED", "\x1b[31mred\x1b[0m\r\nline\u202e two" + "x" * 9000)
    registry.faults.append(Fault(where=MANIFEST, times=9, status=403, body=body))
    with pytest.raises(AccessDenied) as caught:
        repository.resolve(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2500


def test_nobody_listens(client):
    with pytest.raises(MilleError) as caught:
        client.resolve("127.0.0.1:1/x/y:1")
    assert str(caught.value) == (
        'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    )


def test_unknown_host(client, internet):
    words = r'^Get "https://nowhere.example/v2/": dial tcp: lookup nowhere.example on \S+:53: no such host$'
    with pytest.raises(MilleError, match=words):
        client.resolve("nowhere.example/app")


def test_plain_http_where_https_is_wanted(registry, internet, client):
    internet.place("plain.example", "127.0.0.1")
    with pytest.raises(MilleError) as caught:
        client.resolve(f"plain.example:{registry.port}/app:1")
    assert str(caught.value) == (
        f'Get "https://plain.example:{registry.port}/v2/": http: server gave HTTP response to HTTPS client'
    )
    assert not registry.requests


class TestMirrors:
    @pytest.fixture
    def mirror(self):
        with FakeRegistry(address="127.0.0.3") as running:
            yield running

    def hosts(self, registry, *mirrors, **options):
        entry = Entry(
            prefix="docker.io",
            location=registry.host,
            mirrors=tuple(Location(location=mirror, **options) for mirror in mirrors),
        )
        return Hosts(entries=(entry,))

    def test_first_mirror_serves(self, registry, mirror, make_client):
        image = mirror.add_image("hub/library/nginx", "1.24", [b"layer"])
        client = make_client(hosts=self.hosts(registry, f"{mirror.host}/hub"))
        assert client.resolve("nginx:1.24") == image
        assert not registry.requests

    @pytest.mark.parametrize("trouble", ["absent", "closed", 500, 429, 403])
    def test_registry_itself_comes_last(self, registry, mirror, make_client, trouble):
        image = registry.add_image("library/nginx", "1.24", [b"layer"])
        if isinstance(trouble, int):
            mirror.faults.append(Fault(where="manifests", times=99, status=trouble))
        location = "127.0.0.1:1" if trouble == "closed" else mirror.host
        client = make_client(hosts=self.hosts(registry, location))
        assert client.resolve("nginx:1.24") == image
        assert client.slept == []

    def test_mirror_that_lies_about_a_digest(self, registry, mirror, make_client):
        image = registry.add_image("library/nginx", "1.24", [b"layer"])
        media_type, raw = registry.manifests["library/nginx", "1.24"]
        mirror.manifests["library/nginx", str(image.digest)] = (media_type, raw + b" ")
        client = make_client(hosts=self.hosts(registry, mirror.host))
        assert client.resolve(f"nginx@{image.digest}") == image

    def test_mirror_for_digests_only(self, registry, mirror, make_client):
        image = registry.add_image("library/nginx", "1.24", [b"layer"])
        mirror.add_image("library/nginx", "1.24", [b"another"])
        client = make_client(hosts=self.hosts(registry, mirror.host, by_tag=False))
        assert client.resolve("nginx:1.24") == image
        assert not mirror.requests

    def test_blob_from_the_next_place(self, registry, mirror, make_client):
        blob = registry.add_blob("library/nginx", b"layer")
        client = make_client(hosts=self.hosts(registry, mirror.host))
        buffer = bytearray(100)
        with client.repository("nginx").open(blob) as stream:
            assert buffer[: stream.readinto(buffer)] == b"layer"
        assert mirror.seen("blobs")

    def test_mirror_with_another_size(self, registry, mirror, make_client):
        blob = registry.add_blob("library/nginx", b"layer")
        mirror.blobs["library/nginx", str(blob.digest)] = b"lay"
        client = make_client(hosts=self.hosts(registry, mirror.host))
        buffer = bytearray(100)
        with client.repository("nginx").open(blob) as stream:
            assert buffer[: stream.readinto(buffer)] == b"layer"

    def test_mirror_can_be_left_out(self, registry, mirror, make_client):
        blob = registry.add_blob("library/nginx", b"layer")
        mirror.blobs["library/nginx", str(blob.digest)] = b"reyal"
        client = make_client(hosts=self.hosts(registry, mirror.host))
        buffer = bytearray(100)
        with client.repository("nginx").open(blob, mirrors=False) as stream:
            assert buffer[: stream.readinto(buffer)] == b"layer"
        assert not mirror.seen("blobs")

    def test_blobs_come_from_a_mirror_for_digests(self, registry, mirror, make_client):
        blob = mirror.add_blob("library/nginx", b"layer")
        client = make_client(hosts=self.hosts(registry, mirror.host, by_tag=False))
        buffer = bytearray(100)
        with client.repository("nginx:1.24").open(blob) as stream:
            assert buffer[: stream.readinto(buffer)] == b"layer"

    def test_mirror_for_tags_serves_all_of_a_tag(self, registry, mirror, make_client):
        image = mirror.add_image("library/nginx", "1.24", [b"layer"])
        blob = mirror.add_blob("library/nginx", b"layer")
        client = make_client(hosts=self.hosts(registry, mirror.host, by_digest=False))
        repository = client.repository("nginx:1.24")
        assert repository.manifest(repository.resolve(Reference.parse("nginx:1.24")))[0] == image
        buffer = bytearray(100)
        with repository.open(blob) as stream:
            assert buffer[: stream.readinto(buffer)] == b"layer"
        assert not registry.requests

    def test_mirror_for_tags_is_not_asked_for_a_digest(self, registry, mirror, make_client):
        image = registry.add_image("library/nginx", "1.24", [b"layer"])
        client = make_client(hosts=self.hosts(registry, mirror.host, by_digest=False))
        assert client.repository(f"nginx@{image.digest}").manifest(image)[0] == image
        assert not mirror.requests

    def test_all_failures_are_told(self, registry, mirror, make_client):
        client = make_client(hosts=self.hosts(registry, mirror.host))
        with pytest.raises(ManifestUnknown) as caught:
            client.resolve("nginx:1.24")
        assert str(caught.value) == "manifest for nginx:1.24 not found: manifest unknown: manifest unknown"
        assert f"(Mirrors also failed: [{mirror.host}:" in caught.value.advice

    def test_mirrors_are_not_written_to(self, registry, mirror, make_client):
        client = make_client(hosts=self.hosts(registry, mirror.host))
        repository = client.repository("nginx:1.24", push=True)
        raw = b'{"schemaVersion":2}'
        described = Descriptor(media_type=mediatype.OCI_MANIFEST, digest=Digest.of(raw), size=len(raw))
        repository.put_manifest(described, raw, "1.24")
        assert ("library/nginx", "1.24") in registry.manifests
        assert not mirror.requests


def test_foreign_urls_are_never_asked(repository, registry):
    with FakeRegistry(address="127.0.0.2") as other:
        blob = other.add_blob("x", b"foreign")
        foreign = Descriptor(
            media_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            digest=blob.digest,
            size=blob.size,
            urls=(f"{other.url}/v2/x/blobs/{blob.digest}",),
        )
        with pytest.raises(MilleError):
            repository.open(foreign)
        assert not other.requests
