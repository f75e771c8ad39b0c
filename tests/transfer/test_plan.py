from __future__ import annotations

from typing import Any

import pytest
from tests.store.memory import Memory, described, layer

from millefeuille.errors import Corrupt, Invalid, MilleError, NotFound, Unsupported
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.store import Store
from millefeuille.transfer.plan import Plan, plan

AMD64 = Platform.parse("linux/amd64")


def _plan(store: Store, memory: Memory, tag: str, platform: Platform = AMD64) -> Plan:
    store.create()
    return plan(memory.tags[tag], memory, store.blobs, platform, f"app:{tag}")


def test_a_manifest(store: Store, memory: Memory) -> None:
    target = memory.add("1", [layer(1), layer(2)])
    made = _plan(store, memory, "1")
    assert made.indexes == ()
    assert made.target == made.descriptor == target
    assert [(blob.digest, diff_id) for blob, diff_id in made.layers] == [
        (layer(n).descriptor().digest, layer(n).diff_id) for n in (1, 2)
    ]
    assert [digest for digest, _ in made.documents] == [target.digest, made.manifest.config.digest]
    assert all(Digest.of(raw) == digest for digest, raw in made.documents)


def test_an_index_within_an_index(store: Store, memory: Memory) -> None:
    inner = memory.add_index("inner", {"amd64": memory.add("1", [layer(1)])})
    memory.add_index("outer", {"amd64": inner})
    made = _plan(store, memory, "outer")
    assert [descriptor.digest for descriptor, _ in made.indexes] == [
        memory.tags["outer"].digest, inner.digest,
    ]  # fmt: skip
    assert len(made.documents) == 4


def test_what_is_here_is_not_asked_for(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    made = _plan(store, memory, "1")
    for digest, raw in made.documents:
        store.blobs.put(digest, raw)
    assert plan(memory.tags["1"], Memory(), store.blobs, AMD64, "app:1") == made


def _nested(memory: Memory) -> None:
    inner = memory.add("0", [layer(1)])
    for _ in range(6):
        inner = memory.add_index("bad", {"amd64": inner})


def _manifest(memory: Memory, **fields: Any) -> None:
    memory.add("bad", [layer(1)], manifest=fields)


def _layer(memory: Memory, media_type: str) -> None:
    _manifest(memory, layers=[layer(1).descriptor().to_json() | {"mediaType": media_type}])


def _config(memory: Memory, raw: bytes, **fields: Any) -> None:
    memory.blobs[Digest.of(raw)] = raw
    _manifest(memory, config=described(mediatype.OCI_CONFIG, raw) | fields)


def _changed_config(memory: Memory) -> None:
    memory.add("bad", [layer(1)])
    digest = next(key for key, data in memory.blobs.items() if data.startswith(b"{"))
    memory.blobs[digest] = memory.blobs[digest].replace(b"linux", b"lunix")


def _huge(memory: Memory) -> None:
    target = memory.add("bad", [layer(1)])
    memory.tags["bad"] = Descriptor(media_type=target.media_type, digest=target.digest, size=100 << 20)


ENCRYPTED = f"{mediatype.OCI_LAYER}+gzip+encrypted"
BAD: dict[str, tuple[Any, type[MilleError]]] = {
    "indexes without end": (_nested, Invalid),
    "no such platform": (lambda memory: memory.add_index("bad", {"s390x": memory.add("0", [])}), NotFound),
    "an artifact": (lambda memory: _manifest(memory, config=described("text/plain", b"{}")), Unsupported),
    "an encrypted layer": (lambda memory: _layer(memory, ENCRYPTED), Unsupported),
    "a config that is no JSON": (lambda memory: _config(memory, b"{"), Invalid),
    "a config without layers": (lambda memory: _config(memory, b'{"os":"linux"}'), Invalid),
    "a config that says it is larger": (lambda memory: _config(memory, b"{}", size=3), Corrupt),
    "a config too large": (lambda memory: _config(memory, b"{}", size=1 << 30), Invalid),
    "a config of other bytes": (_changed_config, Corrupt),
    "a manifest too large": (_huge, Invalid),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_refused(kind: str, store: Store, memory: Memory) -> None:
    make, error = BAD[kind]
    make(memory)
    with pytest.raises(error) as caught:
        _plan(store, memory, "bad")
    message = str(caught.value)
    assert "\n" not in message
    assert "app:bad" in message or kind == "no such platform"  # Docker's words
    assert [digest for digest, _ in memory.opened if digest == layer(1).descriptor().digest] == []
