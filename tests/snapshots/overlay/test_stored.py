"""Chains of a store extracted: at first use, once, whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.snapshots.facts import difference, expected, shown
from tests.snapshots.stacks import index_of
from tests.snapshots.stored import bring
from tests.store.memory import Memory

from millefeuille import files, kernel
from millefeuille.errors import MilleError
from millefeuille.files import DiskFull
from millefeuille.layers.tree import merge
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.overlay.extract import UnmappedOwner
from millefeuille.snapshots.overlay.stored import extracted_chain
from millefeuille.snapshots.snapshotter import close_all
from millefeuille.snapshots.storedlayers import DamagedChain
from millefeuille.store import images, removal, sweep
from millefeuille.store.chains import NoSuchChain
from millefeuille.store.store import Store
from millefeuille.testing import file_faults
from millefeuille.testing.file_faults import KILL, Fault
from millefeuille.testing.rawtars import archive, directory, file, hardlink, symlink

pytestmark = pytest.mark.walk

LOWER = archive(
    directory(b"d", mode=0o2750, uid=7, gid=8, mtime=1_600_000_000),
    *(file(b"d/f%d" % number, bytes([number]) * 5000, mode=0o4711) for number in range(4)),
    hardlink(b"d/link", b"d/f1"),
    symlink(b"s", b"d/f2"),
)
UPPER = archive(file(b"d/.wh.f0"), file(b"e/new", b"new", uid=5), hardlink(b"g", b"d/f3"))


@pytest.fixture(autouse=True)
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("owners and mounts need root")


@pytest.fixture
def chains(store: Store, memory: Memory) -> list[Digest]:
    """The chains of an image of two layers."""
    return bring(store, memory, "app:1", LOWER, UPPER)


def is_right(store: Store, chain: Digest) -> bool:
    """Whether the chain is shown as its layers say."""
    snapshots = OverlaySnapshotter(
        store.disk.snapshots, lambda id: extracted_chain(store, id, marks="trusted")
    )
    mounts = snapshots.view("look", chain)
    snapshots.remove("look")
    try:
        root = attach.opened(mounts)
    finally:
        close_all(mounts)
    try:
        right = expected(merge(map(index_of, (LOWER, UPPER))), [LOWER, UPPER], clamped=True)
        return difference(shown(root, clamped=True), right) == []
    finally:
        os.close(root)


def left(store: Store) -> list[str]:
    """What lies where nothing may lie after a command."""
    return [name for place in (store.disk.ingest, store.disk.trash) for name in os.listdir(place)]


def in_child(work: Callable[[], object]) -> int:
    """Do `work` in another process; how it ended, as `waitpid` tells."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except MilleError:
            os._exit(1)
        except BaseException:
            os._exit(2)
    return os.waitpid(child, 0)[1]


def test_extracted_at_first_use_and_once(store: Store, chains: list[Digest]) -> None:
    assert os.listdir(store.disk.extracted) == []
    paths = extracted_chain(store, chains[-1], marks="trusted")
    assert paths == tuple(f"{store.disk.extraction(chain)}/fs" for chain in reversed(chains))
    assert is_right(store, chains[-1])
    inodes = [os.stat(path).st_ino for path in paths]
    assert extracted_chain(store, chains[-1], marks="trusted") == paths
    assert [os.stat(path).st_ino for path in paths] == inodes
    assert left(store) == []


def test_layers_below_are_shared(store: Store, memory: Memory, chains: list[Digest]) -> None:
    (base,) = extracted_chain(store, chains[0], marks="trusted")
    inode = os.stat(base).st_ino
    other = bring(store, memory, "app:2", LOWER, archive(file(b"x", b"1")))
    for chain in (chains[-1], other[-1]):
        assert extracted_chain(store, chain, marks="trusted")[-1] == base
    assert os.stat(base).st_ino == inode
    assert len(os.listdir(store.disk.extracted)) == 3


def test_an_unknown_chain(store: Store, chains: list[Digest]) -> None:
    with pytest.raises(NoSuchChain):
        extracted_chain(store, Digest.of(b"another"), marks="trusted")


def test_another_one_finishes_after_the_look(
    store: Store, chains: list[Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = files.make_directory
    others: list[int] = []

    def late(path: str) -> None:
        if path.startswith(f"{store.disk.ingest}/extract-"):
            monkeypatch.undo()
            others.append(in_child(lambda: extracted_chain(store, chains[-1], marks="trusted")))
        make(path)

    monkeypatch.setattr(files, "make_directory", late)
    paths = extracted_chain(store, chains[-1], marks="trusted")
    assert others == [0]
    assert all(os.path.isdir(path) for path in paths)
    assert is_right(store, chains[-1])
    assert left(store) == []


def test_several_processes_at_once(store: Store, chains: list[Digest]) -> None:
    for _ in range(8):
        for chain in chains:
            files.remove_tree(store.disk.extraction(chain))
        _race(store, chains)


def _race(store: Store, chains: list[Digest]) -> None:
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            try:
                extracted_chain(store, chains[-1], marks="trusted")
                os._exit(0)
            except BaseException:
                os._exit(2)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    assert is_right(store, chains[-1])
    assert left(store) == []
    assert sorted(os.listdir(store.disk.extracted)) == sorted(chain.hex for chain in chains)


def faults() -> Iterator[int]:
    """Occurrences to strike at, until one is beyond the last."""
    yield from range(1, 1000)


def test_killed_anywhere_and_used_again(store: Store, chains: list[Digest]) -> None:
    killed = 0
    for occurrence in faults():
        for chain in chains:
            files.remove_tree(store.disk.extraction(chain))

        def dies(occurrence: int = occurrence) -> None:
            fault = Fault(operation="*", site="", occurrence=occurrence, effect=KILL)
            files.hook = file_faults.hook(fault)
            extracted_chain(store, chains[-1], marks="trusted")

        status = in_child(dies)
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        killed += 1
        for chain in chains:  # what has its name is whole
            assert not os.path.isdir(store.disk.extraction(chain)) or is_right(store, chains[-1])
        assert is_right(store, chains[-1])
        with store.writing() as tx:
            sweep.orphans(tx)
        assert left(store) == []
    assert killed > 25


def test_killed_and_swept(store: Store, chains: list[Digest]) -> None:
    def dies() -> None:
        files.hook = file_faults.hook(Fault(operation="create", site="", occurrence=4, effect=KILL))
        extracted_chain(store, chains[-1], marks="trusted")

    assert os.WTERMSIG(in_child(dies)) == signal.SIGKILL
    assert [name for name in left(store) if name.startswith("extract-")] != []
    with store.writing() as tx:
        assert sweep.orphans(tx) > 0
    assert left(store) == []
    assert os.listdir(store.disk.extracted) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_failing_anywhere_leaves_nothing(store: Store, chains: list[Digest], code: int) -> None:
    failed = 0
    for occurrence in faults():
        for chain in chains:
            files.remove_tree(store.disk.extraction(chain))
        files.hook = file_faults.hook(Fault(operation="*", site="", occurrence=occurrence, effect=code))
        try:
            extracted_chain(store, chains[-1], marks="trusted")
        except (MilleError, OSError) as error:
            failed += 1
            files.hook = None
            assert not isinstance(error, MilleError) or isinstance(error, DiskFull) or code == errno.EIO
            with store.writing() as tx:
                sweep.orphans(tx)
            assert left(store) == []
            assert is_right(store, chains[-1])
        else:
            break
        finally:
            files.hook = None
    assert failed > 25


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], check=True)
    yield place
    # An index that a kept traceback refers to is still mapped.
    kernel.unmount(str(place), detach=True)


def test_a_full_disk(small_disk: Path, memory: Memory) -> None:
    store = Store(str(small_disk / "store"))
    chains = bring(store, memory, "big:1", archive(*(file(b"f%d" % n, bytes(1 << 20)) for n in range(7))))
    with pytest.raises(DiskFull, match=r"extract chain sha256:.*: no space left on device"):
        extracted_chain(store, chains[0], marks="trusted")
    assert left(store) == []
    assert os.listdir(store.disk.extracted) == []


def test_damage_is_found_before(store: Store, chains: list[Digest]) -> None:
    path = Path(store.disk.layer_index(Digest.of(LOWER)))
    whole = path.read_bytes()
    path.chmod(0o600)
    for position in range(0, len(whole), 37):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        with pytest.raises(DamagedChain, match="damaged in the store"):
            extracted_chain(store, chains[-1], marks="trusted")
    path.write_bytes(whole)
    tar = Path(store.disk.tar(Digest.of(UPPER)))
    tar.chmod(0o600)
    os.truncate(tar, tar.stat().st_size - 512)
    with pytest.raises(DamagedChain):
        extracted_chain(store, chains[-1], marks="trusted")
    assert left(store) == []
    assert os.listdir(store.disk.extracted) == []


def test_what_an_image_extracted_goes_with_it(store: Store, memory: Memory, chains: list[Digest]) -> None:
    deep = b"/".join([b"x" * 200] * 19)  # too long a path, from where the store is
    bring(store, memory, "app:2", LOWER, archive(file(deep, b"1"), symlink(b"out", b"/")))
    with store.reading() as tx:
        both = {image.tags[0]: image for image in images.images(tx)}
    one, two = both["docker.io/library/app:1"], both["docker.io/library/app:2"]
    for image in (one, two):
        assert image.chain is not None
        extracted_chain(store, image.chain, marks="trusted")
    with store.writing() as tx:
        removal.remove_image(tx, two.id)
    assert sorted(os.listdir(store.disk.extracted)) == sorted(chain.hex for chain in chains)
    with store.writing() as tx:
        removal.remove_image(tx, one.id)
    assert os.listdir(store.disk.extracted) == []
    assert left(store) == []


def test_owners_that_do_not_exist_here(store: Store, memory: Memory) -> None:
    chains = bring(store, memory, "app:3", archive(file(b"f", b"1", uid=4711)))
    script = (
        "import sys; from millefeuille.store.store import Store; from millefeuille.oci.digest import Digest;"
        "from millefeuille.snapshots.overlay.stored import extracted_chain;"
        "extracted_chain(Store(sys.argv[1]), Digest.parse(sys.argv[2]), marks='user')"
    )
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", script]
    done = subprocess.run([*command, store.disk.root, str(chains[0])], capture_output=True, text=True)
    assert UnmappedOwner.__name__ in done.stderr and "belongs to 4711:0" in done.stderr
    assert left(store) == []
