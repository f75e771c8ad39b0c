"""Reading a blob over connections that break in every way."""

from __future__ import annotations

import random

import pytest

from millefeuille.errors import MilleError
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.progress import Retrying
from millefeuille.registry import stream as stream_module
from millefeuille.registry.refusal import BlobUnknown, ServerFailed
from millefeuille.registry.stream import ConnectionLost, RangeIgnored, WrongSize
from millefeuille.testing.faults import Fault

DATA = random.Random(7).randbytes(3_000_000)
BLOB = "GET .*/blobs/"


def read(stream, size=65536):
    """All that is left of `stream`."""
    parts, buffer = [], bytearray(size)
    with stream:
        while count := stream.readinto(buffer):
            parts.append(bytes(buffer[:count]))
    return b"".join(parts)


@pytest.fixture
def blob(registry):
    return registry.add_blob("team/app", DATA)


@pytest.fixture
def repository(registry, client):
    return client.repository(f"{registry.host}/team/app")


def test_whole_blob(repository, blob, registry):
    assert read(repository.open(blob)) == DATA
    assert len(registry.seen(BLOB)) == 1
    assert "Range" not in registry.seen(BLOB)[0].headers


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000])
def test_length_that_is_no_number_counts_for_none(repository, blob, registry, length):
    registry.faults.append(Fault(where=BLOB, headers={"Content-Length": length}))
    assert read(repository.open(blob)) == DATA


def test_connection_is_used_again(repository, blob, registry):
    for _ in range(4):
        read(repository.open(blob))
    accepted = {id(request) for request in registry.seen(BLOB)}
    assert len(accepted) == 4
    assert registry.connections <= 3  # the probe for TLS, and one that is kept


@pytest.mark.parametrize("offset", [0, 1, 65536, 2_999_999])
def test_resume_asks_for_a_closed_range(repository, blob, registry, offset):
    stream = repository.open(blob, offset=offset)
    assert stream.offset == offset
    assert read(stream) == DATA[offset:]
    wanted = f"bytes={offset}-2999999" if offset else None
    assert registry.seen(BLOB)[0].headers.get("Range") == wanted


def test_nothing_left_needs_no_request(repository, blob, registry):
    assert read(repository.open(blob, offset=len(DATA))) == b""
    assert not registry.seen(BLOB)


@pytest.mark.parametrize("how", ["truncate", "reset", "stall"])
@pytest.mark.parametrize("where", [0, 1, 70_000, 2_999_999])
def test_break_is_mended_behind_the_last_byte(repository, blob, registry, client, how, where):
    registry.faults.append(Fault(where=BLOB, **{how: where}))
    assert read(repository.open(blob)) == DATA
    again = registry.seen(BLOB)[1]
    start = int(again.headers["Range"].removeprefix("bytes=").partition("-")[0]) if where > 65536 else 0
    assert start <= where
    if how != "reset":  # a reset takes with it what was not read yet
        assert start >= where - 65536
    assert [type(event) for event in client.events.seen] == [Retrying]


def test_many_breaks_with_progress_between(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, times=2, truncate=1_400_000))
    assert read(repository.open(blob)) == DATA
    assert len(registry.seen(BLOB)) == 3


def test_no_progress_gives_up(repository, blob, registry, client):
    registry.faults.append(Fault(where=BLOB, times=99, truncate=0))
    with pytest.raises(ConnectionLost, match=f"{blob.digest}: unexpected EOF after 0 of 3000000 bytes"):
        read(repository.open(blob))
    assert len(registry.seen(BLOB)) == 5
    assert len(client.slept) == 4


def test_ignored_range_is_read_and_thrown_away(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, times=9, ignore_range=True))
    stream = repository.open(blob, offset=1_000_000)
    assert stream.offset == 1_000_000
    assert read(stream) == DATA[1_000_000:]


def test_ignored_range_far_into_a_blob_starts_from_zero(repository, blob, registry, monkeypatch):
    monkeypatch.setattr(stream_module, "SKIP_LIMIT", 999_999)
    registry.faults.append(Fault(where=BLOB, times=9, ignore_range=True))
    stream = repository.open(blob, offset=1_000_000)
    assert stream.offset == 0
    assert read(stream) == DATA


def test_ignored_range_while_reading_is_read_again_once(repository, blob, registry, monkeypatch):
    monkeypatch.setattr(stream_module, "SKIP_LIMIT", 1000)
    registry.faults.append(Fault(where=BLOB, truncate=2_000_000))
    registry.faults.append(Fault(where=BLOB, ignore_range=True))
    assert read(repository.open(blob)) == DATA


def test_ignored_range_twice_ends_it(repository, blob, registry, monkeypatch):
    monkeypatch.setattr(stream_module, "SKIP_LIMIT", 1000)
    registry.faults.append(Fault(where=BLOB, times=2, truncate=2_000_000, ignore_range=True))
    registry.faults.append(Fault(where=BLOB, ignore_range=True))
    with pytest.raises((RangeIgnored, ConnectionLost)):
        read(repository.open(blob))


@pytest.mark.parametrize(
    "header",
    ["bytes 0-2999999/3000000", "bytes 1000000-2999999/3000001", "bytes 5-9/3000000", "octets", ""],
)
def test_wrong_content_range(repository, blob, registry, header):
    registry.faults.append(Fault(where=BLOB, times=9, headers={"Content-Range": header}))
    with pytest.raises(WrongSize, match="another range"):
        read(repository.open(blob, offset=1_000_000))


def test_unknown_total_in_content_range(repository, blob, registry):
    header = "bytes 1000000-2999999/*"
    registry.faults.append(Fault(where=BLOB, headers={"Content-Range": header}))
    assert read(repository.open(blob, offset=1_000_000)) == DATA[1_000_000:]


def test_range_not_satisfiable_falls_back_to_the_whole(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, status=416))
    assert read(repository.open(blob, offset=1_000_000)) == DATA[1_000_000:]


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
def test_other_length_than_promised(repository, blob, size):
    promised = Descriptor(media_type="x", digest=blob.digest, size=size)
    with pytest.raises(WrongSize, match=f"announces 3000000 bytes, not {size}"):
        repository.open(promised)


def test_more_than_promised_without_a_length(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, chunked=True, extra=b"x"))
    with pytest.raises(WrongSize, match="more than 3000000 bytes"):
        read(repository.open(blob))


def test_chunked_body(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, chunked=True))
    assert read(repository.open(blob)) == DATA


def test_chunked_body_that_breaks(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, chunked=True, truncate=500_000))
    assert read(repository.open(blob)) == DATA


def test_slow_body(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, slow=0.002, piece=300_000))
    assert read(repository.open(blob)) == DATA


def test_corrupt_byte_reaches_the_caller_who_checks(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, corrupt=10))
    assert Digest.of(read(repository.open(blob))) != blob.digest


def test_missing_blob(repository):
    absent = Descriptor(media_type="x", digest=Digest.of(b"absent"), size=6)
    with pytest.raises(BlobUnknown, match="blob unknown"):
        repository.open(absent)


def test_server_errors_are_tried_again(repository, blob, registry, client):
    registry.faults.append(Fault(where=BLOB, times=4, status=503))
    assert read(repository.open(blob)) == DATA
    assert len(client.slept) == 4
    assert client.slept == sorted(client.slept)


def test_server_errors_without_end(repository, blob, registry):
    registry.faults.append(Fault(where=BLOB, times=99, status=502))
    with pytest.raises(ServerFailed, match="received unexpected HTTP status: 502 Bad Gateway"):
        repository.open(blob)
    assert len(registry.seen(BLOB)) == 5


def test_compressed_answer_is_not_unpacked(repository, blob, registry):
    """A proxy that labels a blob as gzip must not change its bytes."""
    registry.faults.append(Fault(where=BLOB, headers={"Content-Encoding": "gzip"}))
    assert read(repository.open(blob)) == DATA
    assert registry.seen(BLOB)[0].headers["Accept-Encoding"] == "identity"


def test_closed_stream_leaves_the_client_usable(repository, blob):
    stream = repository.open(blob)
    stream.readinto(bytearray(10))
    stream.close()
    stream.close()
    assert read(repository.open(blob)) == DATA


@pytest.mark.parametrize("seed", range(12))
def test_any_faults_give_the_right_bytes_or_an_error(repository, blob, registry, seed):
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 6)):
        how = chance.choice(["truncate", "reset", "status", "ignore_range", "stall"])
        value = {"status": chance.choice([500, 503, 429, 404]), "ignore_range": True}.get(
            how, chance.randrange(len(DATA))
        )
        registry.faults.append(Fault(where=BLOB, skip=chance.randrange(2), **{how: value}))
    offset = chance.choice([0, 0, chance.randrange(len(DATA))])
    try:
        stream = repository.open(blob, offset=offset)
        assert read(stream) == DATA[stream.offset :]
    except MilleError as error:
        assert "\n" not in str(error)
