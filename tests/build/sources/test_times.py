"""Times of files under an epoch: a copy from the cache is the copy that would be made."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from tests.build.places import Place

EPOCH = 1_000_000_000
EARLY, LATER = EPOCH - 100, EPOCH - 7
TEXTS = {
    "a file": "FROM scratch\nCOPY d/a /\n",
    "a directory": "FROM scratch\nCOPY . /\n",
    "a part of one": "FROM scratch\nCOPY --parents d/./*/b /to/\n",
    "without modes": "FROM scratch\nCOPY --chmod=644 d/a /\n",
    "linked": "FROM scratch\nCOPY --link d/a /\n",
    "ADD": "FROM scratch\nADD d/a /\n",
    "a stage": "FROM scratch AS one\nCOPY d /\nFROM scratch\nCOPY --from=one / /to/\n",
    "a file of a stage": "FROM scratch AS one\nCOPY d /\nFROM scratch\nCOPY --from=one a /\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store, and a context with a few files that are older than the epoch."""
    made = Place(tmp_path)
    made.write({"d/a": "1", "d/e/b": "2"})
    dated(made, EARLY)
    return made


def dated(place: Place, when: float) -> None:
    """Give all of the context that time."""
    for directory, _, names in os.walk(place.context, topdown=False):
        for name in (*names, ""):
            os.utime(Path(directory, name), (when, when))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_time_before_the_epoch_counts(place: Place, text: str) -> None:
    place.build(text, epoch=EPOCH)
    dated(place, LATER)
    again = place.build(text, epoch=EPOCH)
    assert place.watching.outcomes[-1] == "done"
    assert again.raw == place.build(text, epoch=EPOCH, no_cache=frozenset()).raw
    assert again.raw == place.build(text, epoch=EPOCH).raw
    assert set(place.watching.outcomes) == {"cached"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_times_after_the_epoch_and_parts_of_seconds_do_not(place: Place, text: str) -> None:
    dated(place, EPOCH + 5)
    first = place.build(text, epoch=EPOCH)
    dated(place, EPOCH + 100)
    assert place.build(text, epoch=EPOCH).raw == first.raw
    assert set(place.watching.outcomes) == {"cached"}
    dated(place, EARLY)
    place.build(text, epoch=EPOCH)
    dated(place, EARLY + 0.5)
    place.build(text, epoch=EPOCH)
    assert set(place.watching.outcomes) == {"cached"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_without_an_epoch_none_does(place: Place, text: str) -> None:
    first = place.build(text)
    dated(place, LATER)
    assert place.build(text).diff_ids == first.diff_ids
    assert set(place.watching.outcomes) == {"cached"}


def test_an_archive_too(place: Place) -> None:
    text = "FROM scratch\nADD x.tar /\n"
    for when in (EARLY, LATER):
        with tarfile.open(place.context / "x.tar", "w") as archive:
            member = tarfile.TarInfo("d")
            member.type, member.mtime = tarfile.DIRTYPE, when
            archive.addfile(member)
        os.utime(place.context / "x.tar", (when, when))
        made = place.build(text, epoch=EPOCH)
        assert made.raw == place.build(text, epoch=EPOCH, no_cache=frozenset()).raw


def test_it_is_explained(place: Place) -> None:
    place.build(TEXTS["a directory"], epoch=EPOCH)
    dated(place, LATER)
    place.build(TEXTS["a directory"], epoch=EPOCH, explain=True)
    assert "not in the cache: times of files changed since" in place.watching.reasons[-1]
    place.write({"d/new": "3"})
    place.build(TEXTS["a directory"], epoch=EPOCH, explain=True)
    assert "times" not in place.watching.reasons[-1]
