"""A squashed result has the same files, its base's layers, and one layer for all that differs."""

from __future__ import annotations

import io
import json
import random
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.build.outputs.states import MADE, directory, file, gone, state, stored, symlink

from millefeuille.build.outputs.config import described
from millefeuille.build.outputs.exported import Export, carried
from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.build.outputs.squash import squashed
from millefeuille.build.outputs.tarball import stream_tar
from millefeuille.layers.entry import FILE, HARDLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.store import leases
from millefeuille.store.filetree import DamagedContent
from millefeuille.store.ingest import making
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store

LEAVES = ("a", "b", "c")


def link(path: str, target: str) -> Member:
    return Metadata(path=path.encode(), kind=HARDLINK, mode=0o644, link=target.encode()), None


def files_of(store: Store, finished: Finished) -> bytes:
    pieces: list[bytes] = []
    stream_tar(lambda data: pieces.append(bytes(data)), carried(store, Export(finished=finished)))
    return b"".join(pieces)


def layer_names(store: Store, finished: Finished) -> list[str]:
    with tarfile.open(store.disk.tar(finished.layers[-1].diff_id)) as archive:
        return archive.getnames()


def stacked(
    store: Store, lease: Lease, *layers: list[Member], base: int = 1, epoch: int | None = None
) -> Finished:
    records = [stored(store, lease, members) for members in layers]
    return replace(state(records, epoch=epoch), base_layers=base, steps=tuple(
        Step(created_by=f"COPY {n} / # buildkit", created=MADE + n * 10**9) for n in range(base, len(records))
    ))  # fmt: skip


def test_what_came_and_went_is_left_out(store: Store, lease: Lease) -> None:
    built = stacked(
        store, lease, [directory("d"), file("d/old"), file("d/same")], [file("big", b"x" * 10_000)],
        [gone("big"), file("d/new"), gone("d/old")],
    )  # fmt: skip
    made = squashed(store, built, lease)
    assert made.layers[:1] == built.layers[:1] and len(made.layers) == 2
    assert layer_names(store, made) == ["d", "d/new", "d/.wh.old"]
    assert files_of(store, made) == files_of(store, built)
    told = json.loads(described(made).raw)["history"]
    assert [bool(entry.get("empty_layer")) for entry in told[1:]] == [True, True, False]
    assert told[-1]["comment"] == "merge 2 layers"


def test_hard_links_of_the_new_layer_stay(store: Store, lease: Lease) -> None:
    built = stacked(store, lease, [file("a", b"data")], [file("x", b"one"), link("y", "x"), link("z", "a")])
    made = squashed(store, built, lease)
    with tarfile.open(store.disk.tar(made.layers[-1].diff_id)) as archive:
        found = {member.name: (member.isreg(), member.linkname) for member in archive}
    # Under `z` the base's file has one more name: not every reader can link into another layer.
    assert found == {"x": (True, ""), "y": (False, "x"), "z": (True, "")}


def test_what_is_the_same_in_the_end_is_no_change(store: Store, lease: Lease) -> None:
    built = stacked(store, lease, [file("a", b"one")], [file("a", b"two")], [file("a", b"one")])
    made = squashed(store, built, lease)
    assert made.layers == built.layers[:1] and all(step.empty for step in made.steps)
    described(made)
    assert squashed(store, made, lease) == made


def test_kinds_that_change(store: Store, lease: Lease) -> None:
    built = stacked(
        store, lease, [directory("d"), file("d/x"), file("f"), symlink("s", "f")],
        [gone("d"), file("d", b"file"), gone("f"), directory("f"), file("f/y"), gone("s"),
         directory("s", 0o700)],
    )  # fmt: skip
    made = squashed(store, built, lease)
    assert files_of(store, made) == files_of(store, built)
    assert layer_names(store, made) == ["d", "f", "f/y", "s"]


def test_epoch_holds_in_the_new_layer_alone(store: Store, lease: Lease) -> None:
    new = [file("new", mtime=5000), file("early", mtime=7)]
    built = stacked(store, lease, [file("old", mtime=5000)], new, epoch=1000)
    made = squashed(store, built, lease)
    with tarfile.open(store.disk.tar(made.layers[-1].diff_id)) as archive:
        assert {member.name: member.mtime for member in archive} == {"early": 7, "new": 1000}


def test_sparse_files_keep_their_content(store: Store, lease: Lease, tmp_path: Path) -> None:
    with (tmp_path / "hole").open("wb") as hole:
        hole.truncate(300_000)
        hole.seek(200_000)
        hole.write(b"data")
    run = ["tar", "--sparse", "--format=gnu", "-C", str(tmp_path), "-cf", "-", "hole"]
    packed = subprocess.run(run, capture_output=True, check=True).stdout
    assert len(packed) < 100_000
    with making(store.disk) as layer:
        layer.feed(packed)
        record, _ = layer.commit(None, claim=lambda content: lease.claim([content.diff_id]))
    built = replace(state([record, stored(store, lease, [file("b")])]), base_layers=0)
    made = squashed(store, built, lease)
    with tarfile.open(fileobj=io.BytesIO(files_of(store, made))) as archive:
        content = archive.extractfile("hole")
        assert content is not None and content.read() == (tmp_path / "hole").read_bytes()


def test_damaged_data_are_not_packed_anew(store: Store, lease: Lease) -> None:
    built = stacked(store, lease, [file("a")], [file("b", b"data")])
    tar = Path(store.disk.tar(built.layers[1].diff_id))
    tar.chmod(0o600)
    tar.write_bytes(tar.read_bytes().replace(b"data", b"dama"))
    with pytest.raises(DamagedContent):
        squashed(store, built, lease)


def test_equal_states_give_an_equal_layer(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        store = Store(str(tmp_path / name))
        store.create()
        with leases.lease(store.disk, "build") as held:
            built = stacked(store, held, [file("a")], [file("c"), file("b")], [gone("c")])
            found.append(squashed(store, built, held).layers)
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", range(40))
def test_any_layers_come_to_the_same_files(store: Store, lease: Lease, seed: int) -> None:
    source = random.Random(seed)
    built = stacked(store, lease, *(some_layer(source) for _ in range(source.randint(2, 5))),
                    base=source.randint(0, 2))  # fmt: skip
    made = squashed(store, built, lease)
    assert len(made.layers) <= built.base_layers + 1
    assert files_of(store, made) == files_of(store, built)


def some_layer(source: random.Random) -> list[Member]:
    """Directories, files, links between these and whiteouts, three levels deep."""
    members: list[Member] = []
    taken: dict[str, str] = {}
    for _ in range(source.randint(1, 8)):
        path = "/".join(source.choices(LEAVES, k=source.randint(1, 3)))
        parents = {path.rsplit("/", n)[0] for n in range(1, path.count("/") + 1)}
        if path in taken or any(taken.get(one, "d") != "d" for one in parents):
            continue
        if any(other.startswith(path + "/") for other in taken):
            continue
        kind = source.choice("dffflwo")
        real = [other for other, what in taken.items() if what == "f"]
        if kind == "d":
            members.append(directory(path, source.choice([0o755, 0o700]), mtime=source.randint(0, 3)))
        elif kind == "l" and real:
            members.append(link(path, source.choice(real)))
            kind = "h"
        elif kind == "w":
            members.append(gone(path))
            taken[path] = "w"
            continue
        elif kind == "o":
            members.append((Metadata(path=f"{path}/.wh..wh..opq".encode(), kind=FILE, mode=0), None))
            kind = "d"
        else:
            members.append(file(path, source.choice([b"", b"one", b"two" * 300]), mtime=source.randint(0, 3)))
            kind = "f"
        taken[path] = kind
        taken.update(dict.fromkeys(parents, "d"))
    return members
