"""Contexts, archives and stages that try to lead a build out: nothing of the host is copied or changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests.build.places import Place
from tests.containers.swapper import INSIDE, SECRET, furnish, swapping

from millefeuille.build.sources.reading import ContextChanged
from millefeuille.errors import MilleError
from millefeuille.layers.entry import FILE
from millefeuille.store.check import check
from millefeuille.testing.hostile import CASES

CANARY = "canary of the host"
# Their sizes are the point: layers of them are read elsewhere.
LARGE = {"T3.16", "T8.01", "T8.02", "T8.04", "T8.05", "T8.06", "T8.07", "T8.08", "T8.09", "T8.10"}


# With the destination before it, a path may become too long; a mark that a layer's reader skips is no file.
REFUSED = {"T1.16", "T1.18a", "T4.10"}
# What does not begin as an archive is a file, as Docker has it.
FILES = {"T6.03", "T6.04", "T7.05a", "T7.06", "T7.23", "T8.03"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A context beside a secret."""
    made = Place(tmp_path / "here")
    made.write({"file": "file\n", "directory/file": "file\n"})
    (tmp_path / "here/secret").mkdir()
    (tmp_path / "here/secret/it").write_text(CANARY)
    return made


def holds(place: Place, text: bytes) -> list[str]:
    """The files of the store with these words in them."""
    found = []
    for directory, _, names in os.walk(place.store.disk.root):
        for name in names:
            with open(f"{directory}/{name}", "rb") as file:
                found += [name] if text in file.read() else []
    return found


ESCAPES = [
    "COPY ../secret /x", "COPY ../secret/it /x", "COPY /../../secret/it /x", "COPY directory/../../secret /x",
    "COPY {host}/secret/it /x", "COPY absolute /x", "COPY absolute/it /x", "COPY relative /x",
    "COPY relative/it /x", "COPY rel*/it /x", "COPY chain/relative/it /x", "COPY * /x", "COPY . /x",
    "COPY --parents ./relative/it /x", "COPY --parents ../secret/./it /x", "ADD ../secret /x",
    "ADD relative/it /x", "ADD proc/root{host}/secret/it /x", "COPY proc/cwd/../secret/it /x",
    "COPY --from=named it /x", "COPY --from=named ../secret/it /x",
]  # fmt: skip


@pytest.mark.parametrize("line", ESCAPES)
def test_nothing_leaves_the_context(place: Place, line: str) -> None:
    host, context = place.context.parent, place.context
    (context / "absolute").symlink_to(host / "secret")
    (context / "relative").symlink_to("../secret")
    (context / "chain").symlink_to("directory/..")
    (context / "proc").symlink_to("/proc/self")
    text = f"FROM scratch AS named\nCOPY directory /\nFROM scratch\n{line.format(host=host)}\n"
    try:
        place.build(text)
    except MilleError as error:
        assert "\n" not in str(error)
    assert holds(place, CANARY.encode()) == []


GAMES = [
    ("link", "{secret}", "COPY --from=stage /link /x"),
    ("link", "{secret}", "COPY --from=stage /link/it /x"),
    ("link", "{secret}", "COPY --from=stage /link/ /x/"),
    ("link", "/../../../..{secret}", "COPY --from=stage /link/it /x"),
    ("etc", "{secret}", "COPY --from=stage /etc/it /x"),
    ("link", "/proc/self/cwd", "COPY --from=stage /link/tests /x"),
    ("link", "/proc/1/root", "COPY --from=stage /link/etc /x"),
]


@pytest.mark.parametrize(("name", "target", "line"), GAMES)
def test_links_of_a_stage_stay_in_it(place: Place, name: str, target: str, line: str) -> None:
    secret = place.context.parent / "secret"
    (place.context / "links").mkdir()
    (place.context / "links" / name).symlink_to(target.format(secret=secret))
    text = f"FROM scratch AS stage\nCOPY links /\nFROM scratch\n{line}\n"
    try:
        place.build(text)
    except MilleError as error:
        assert "\n" not in str(error)
    assert holds(place, CANARY.encode()) == []


@pytest.mark.parametrize("line", ["COPY file /link/new", "ADD file /link/", "WORKDIR /link/new"])
def test_links_in_the_way_of_a_destination_stay_in_the_root(place: Place, line: str) -> None:
    secret = place.context.parent / "secret"
    (place.context / "links").mkdir()
    (place.context / "links/link").symlink_to(secret)
    place.build(f"FROM scratch\nCOPY links /\n{line}\n")
    assert os.listdir(secret) == ["it"]


def test_hostile_archives_added(place: Place, all_cases: bool) -> None:
    victim = place.context.parent / "victim"
    victim.mkdir()
    (victim / "file").write_text(CANARY)
    cases = [case for case in CASES if len(case.layers) == 1 and case.id not in LARGE]
    assert len(cases) > 150
    chosen = cases if all_cases else cases[::5]
    told = {case.id: _refused(place, case.tars()[0]) for case in chosen}
    for case in chosen:
        expected = case.id in REFUSED or (case.refused is not None and case.id not in FILES)
        assert told[case.id] == expected, (case.id, case.about)
    assert 5 < sum(told.values()) < len(chosen) - 10
    assert [path.name for path in victim.iterdir()] == ["file"]
    assert {path.name for path in place.context.parent.iterdir()} <= {
        "context",
        "secret",
        "store",
        "victim",
        "run",
    }
    assert holds(place, CANARY.encode()) == []
    assert check(place.store, data=True).problems == ()


def _refused(place: Place, tar: bytes) -> bool:
    (place.context / "a.tar").write_bytes(tar)
    try:
        place.build("FROM scratch\nADD a.tar /x/\n")
    except MilleError as error:
        assert "\n" not in str(error)
        return True
    return False


def test_what_is_swapped_while_it_is_read_leads_nowhere(place: Place, all_cases: bool) -> None:
    furnish(str(place.context), place.context.parent / "hidden")
    descriptor = os.open(place.context, os.O_RDONLY)
    built = failed = 0
    with swapping(descriptor, 4_000_000 if all_cases else 60_000) as swapper:
        while swapper.running:
            try:
                made = place.build("FROM scratch\nCOPY d* z* /x/\nCOPY d0/file z1/file /y/\n")
            except MilleError as error:
                assert "\n" not in str(error)
                failed += 1
                continue
            built += 1
            with place.tree(made) as tree:
                for path in (b"x/file", b"y/file"):
                    entry = tree.lookup(path)
                    assert entry is None or entry.entry.kind != FILE or tree.read(path) == INSIDE
    os.close(descriptor)
    assert built + failed > 3
    assert holds(place, SECRET) == []
    assert check(place.store, data=True).problems == ()


def test_a_context_that_changes_while_it_is_read(place: Place) -> None:
    """The error names the file, and no layer of it is kept."""
    log = place.context / "log"
    log.write_bytes(b"x" * 5_000_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with open(log, "ab", buffering=0) as file:
                file.write(b"changed")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(ContextChanged, match="log"):
            for _ in range(20):
                place.build("FROM scratch\nCOPY log /\n", no_cache=frozenset())
    finally:
        stop.set()
        writer.join()
    assert check(place.store, data=True).problems == ()
    assert place.watching.outcomes == ["failed"]
    log.write_text("at rest")
    assert place.read(place.build("FROM scratch\nCOPY log /\n"), "log") == "at rest"
