"""Builds at once on one store, and prunes beside them: each works or says to build again; all are whole."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import counts
from tests.faults.household import MILLE
from tests.faults.yard import BASE, COPY, EPOCH, FROM, Yard

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

RUN = (
    f"FROM {BASE}\nRUN --mount=type=cache,target=/cache echo x >> /cache/log; echo made > /made\n"
    "COPY tree /t\n"
)
AGAIN = "pruned while the build was using it"


@pytest.fixture
def yard(tmp_path: Path, busybox: MadeImage) -> Iterator[Yard]:
    """A yard whose base is a container's, so that no prune removes it."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    made = Yard(tmp_path, busybox)
    made.done("create", "--network", "none", "--name", "holder", BASE, "true")
    yield made
    made.done("rm", "-f", "holder")
    assert made.remnants() == []
    assert made.done("system", "check", "--data")


def begin(yard: Yard, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [MILLE, "--root", yard.root, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def building(yard: Yard, dockerfile: str, name: str) -> subprocess.Popen[str]:
    file = yard.directory / f"Dockerfile.{name}"
    file.write_text(dockerfile)
    return begin(yard, "build", "-q", *EPOCH, "-t", name, "-f", str(file), str(yard.context))


def test_the_same_and_others_at_once(yard: Yard, all_cases: bool) -> None:
    for number in range(20 if all_cases else 1):
        texts = (RUN, RUN, RUN, FROM, COPY)
        begun = [building(yard, text, f"one{place}") for place, text in enumerate(texts)]
        ended = [process.communicate(timeout=120) for process in begun]
        assert [process.returncode for process in begun] == [0] * len(begun), ended
        assert len({out for out, _ in ended[:3]}) == 1, number
        yard.done("rmi", "-f", *(f"one{place}" for place in range(len(texts))))
        yard.done("builder", "prune", "-a", "-f")
    assert yard.done("system", "check", "--data")


def test_prunes_beside_builds(yard: Yard, all_cases: bool) -> None:
    prunes = (("builder", "prune", "-a", "-f"), ("image", "prune", "-a", "-f"))
    told = Counter[str]()
    chance = random.Random(11)
    rounds = 60 if all_cases else 4
    for number in range(rounds):
        (yard.context / "tree/one").write_text(f"{number // 2}\n")  # every other round finds what was made
        begun = [building(yard, text, f"one{place}") for place, text in enumerate((RUN, FROM, COPY))]
        pruning = []
        for words in (*prunes, *prunes):
            time.sleep(chance.random() * 0.3)
            pruning.append(begin(yard, *words))
        for process in begun:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0 or (process.returncode == 1 and AGAIN in err), err
            assert out if process.returncode == 0 else len(err.splitlines()) <= 2, err
            told["built" if process.returncode == 0 else "again"] += 1
        for process in pruning:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
        assert yard.done("system", "check", "--data")
        check_images(yard)
    counts.said.append(f"builds beside prunes: {rounds} rounds, {dict(told)}")


def check_images(yard: Yard) -> None:
    """Every image that is there is whole, and can be built on."""
    for name in yard.done("image", "ls", "--format", "{{.Repository}}").splitlines():
        if name.startswith("one"):
            archive = yard.directory / "saved.tar"
            yard.done("save", "-o", str(archive), name)
            archive.unlink()
