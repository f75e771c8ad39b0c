"""Slim: what is hidden goes, what is shown stays, and the base is left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.analysis.stacks import stack
from tests.store.meanwhile import before_lease, pruned

from millefeuille.engine.stored import stored
from millefeuille.images import slim as slimming
from millefeuille.images.slim import NoBase, NotSlimmed, slim
from millefeuille.images.tag import BadTag
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store.filetree import FileTree, metadata
from millefeuille.store.images import images, layers_of
from millefeuille.store.store import Store
from millefeuille.testing import rawtars
from millefeuille.transfer.archive.load import load

Loaded = Callable[[Sequence[bytes], str], str]
SLIM = Reference.parse("slim:1").tagged()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(str(tmp_path / "store"))
    made.create()
    return made


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Loaded:
    """Load an image of these layers; its ID."""

    def run(layers: Sequence[bytes], name: str = "one") -> str:
        write_archive(tmp_path / "image.tar", layers, [f"RUN {name} {n}" for n in range(len(layers))], name)
        with (tmp_path / "image.tar").open("rb") as file:
            tuple(load(store, file.fileno(), Silent()))
        return name

    return run


def _shown(store: Store, name: str) -> dict[bytes, object]:
    """Every path, with its metadata and content."""
    with store.reading() as tx:
        record = next(one for one in images(tx) if name in " ".join(map(str, one.tags)))
        layers = layers_of(tx, record.id)
    found: dict[bytes, object] = {}
    with FileTree(store.disk, layers, name) as tree:
        pending = [(b"", tree.root)]
        while pending:
            path, node = pending.pop()
            data = b"".join(data for _, data in tree.content(node)) if node.size and not node.link else b""
            found[path] = (metadata(b"", node), node.nlink, data)
            pending += [(path + b"/" + name, child) for name, child in (node.children or {}).items()]
    return found


def test_random_stacks_show_the_same_and_hold_nothing_in_vain(
    store: Store, loaded: Loaded, all_cases: bool
) -> None:
    slimmer = 0
    for seed in range(300 if all_cases else 12):
        layers = list(dict.fromkeys(stack(seed)))
        if not layers:
            continue
        name = loaded(layers, f"random{seed}")
        before = stored(store, name).account
        target = Reference.parse(f"thin{seed}").tagged()
        made = slim(store, name, name=target)
        after = stored(store, f"thin{seed}").account
        assert _shown(store, f"thin{seed}") == _shown(store, name)
        assert before.live == after.live
        assert made.saved == before.stored - after.stored
        base = stored(store, name).image.base
        if not any(death.writer < made.kept for death in before.deaths) and not base:
            assert after.shadowed == 0
        slimmer += made.saved > 0
    assert slimmer > 2


def _layers() -> list[bytes]:
    return [
        rawtars.archive(rawtars.file(b"base", b"b" * 5000), rawtars.file(b"old", b"o" * 3000)),
        rawtars.archive(rawtars.file(b"made", b"m" * 7000), rawtars.file(b"old", b"n" * 2000)),
        rawtars.archive(rawtars.file(b".wh.made"), rawtars.file(b"kept", b"k" * 100)),
    ]


def test_the_layers_of_a_base_stay(store: Store, loaded: Loaded) -> None:
    loaded(_layers()[:1], "base")
    name = loaded(_layers(), "one")
    made = slim(store, name, name=SLIM)
    assert (made.saved, made.kept, made.rewritten) == (7000, 2, 1)
    with store.reading() as tx:
        stacks = {
            str(one.tags[0]).rpartition("/")[2].split(":")[0]: layers_of(tx, one.id) for one in images(tx)
        }
    assert stacks["slim"][0] == stacks["one"][0] == stacks["base"][0]
    assert stacks["slim"][1] != stacks["one"][1]


def test_without_a_base_all_of_it_goes(store: Store, loaded: Loaded) -> None:
    name = loaded(_layers(), "one")
    assert slim(store, name, name=SLIM).saved == 10000
    account = stored(store, "slim:1").account
    assert (account.shadowed, account.efficiency) == (0, 1.0)
    history = stored(store, "slim:1").image.config.history
    assert [step.created_by for step in history] == ["RUN one 0", "RUN one 1", "RUN one 2"]


def test_a_layer_whose_last_block_is_not_filled_up(store: Store, loaded: Loaded) -> None:
    layers = _layers()
    last = rawtars.file(b"made", b"m" * 7000) + rawtars.file(b"last", b"l" * 700)
    layers[1] = last[: 700 - 1024]
    name = loaded(layers, "one")
    assert slim(store, name, name=SLIM).saved == 10000 - 3000
    assert _shown(store, "slim:1") == _shown(store, name)


def test_a_base_that_is_none_is_refused(store: Store, loaded: Loaded) -> None:
    loaded(_layers()[1:2], "other")
    name = loaded(_layers(), "one")
    with pytest.raises(NoBase):
        slim(store, name, base="other")


def test_a_name_with_a_digest_is_refused(store: Store, loaded: Loaded) -> None:
    name = loaded(_layers(), "one")
    with pytest.raises(BadTag, match="refusing to create a tag with a digest reference"):
        slim(store, name, name=Reference.parse(f"two@sha256:{'0' * 64}"))
    with store.reading() as tx:
        assert len(list(images(tx))) == 1


def test_nothing_to_leave_out_is_the_image_itself(store: Store, loaded: Loaded) -> None:
    name = loaded(_layers()[:1], "one")
    made = slim(store, name)
    assert (str(made.image), made.saved) == (str(stored(store, name).image.config.id), 0)


def test_another_tree_is_refused(store: Store, loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    name = loaded(_layers(), "one")
    genuine = slimming.cuts

    def wrong(*given: object, careful: bool = False) -> object:
        found = genuine(*given, careful=careful)  # type: ignore[arg-type]
        return (found[0], found[1], {**found[2], 1: slimming.Cut()})

    monkeypatch.setattr(slimming, "cuts", wrong)
    with pytest.raises(NotSlimmed, match="/kept would be another"):
        slim(store, name, name=SLIM)
    with store.reading() as tx:
        assert len(list(images(tx))) == 1


def test_a_name_that_gets_another_image_meanwhile(
    store: Store, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(_layers())
    other = [rawtars.archive(rawtars.file(b"old", data * 900)) for data in (b"p", b"q")]

    def replace() -> None:
        loaded(other)
        pruned(store)

    before_lease(monkeypatch, replace)
    slim(store, "one", name=SLIM)
    assert _shown(store, "slim") == _shown(store, "one")
