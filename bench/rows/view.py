"""The analyser's view of 100,000 files in 20 layers: its first frame, and going from layer to layer.

Seconds count from the start of the process. `terminal` is when the first frame goes out, `pilot` when
Textual, driven by its pilot, has drawn it, `layer` the longest change of the layer; `again` is with an
analysis that was kept.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.contest import Goal, Result
from bench.ground import Ground
from bench.measure import Cost
from millefeuille.testing.images import make_image, write_docker_archive
from millefeuille.testing.tars import Entry, directory_entry, file_entry, make_layer

_FILES, _LAYERS = 100_000, 20
_NAME = "bench/view:1"


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    root = ground.work / "view"
    _mille(root, "load", "--quiet", "--input", str(_archive(ground.work)))
    costs: dict[str, list[Cost]] = {}
    for _ in range(ground.runs):
        shutil.rmtree(root / "analysis", ignore_errors=True)
        _note(costs, _sat(root), "")
        _note(costs, _sat(root), " again")
    result = Result(title="view", costs=costs)
    bounds = {"pilot": 0.6, "pilot again": 0.3, "layer": 0.05, "layer again": 0.05}
    return result, [_goal(result, name, bound) for name, bound in bounds.items()]


def _goal(result: Result, name: str, bound: float) -> Goal:
    value = result.median(name).wall
    return Goal(text=f"wall: {name} < {bound:g} s", value=value, met=value < bound)


def _sat(root: Path) -> tuple[float, dict[str, Any]]:
    before = time.monotonic()
    command = [sys.executable, "-m", "bench.sitting", str(root), _NAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return before, json.loads(done.stdout)


def _note(costs: dict[str, list[Cost]], sat: tuple[float, dict[str, Any]], suffix: str) -> None:
    start, found = sat
    walls = {name: found[name] - start for name in ("terminal", "pilot")}
    walls["layer"] = max(found["switches"])
    for name, wall in walls.items():
        cost = Cost(wall=wall, cpu=found["cpu"], memory=found["memory"])
        costs.setdefault(name + suffix, []).append(cost)


def _mille(root: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "millefeuille", "--root", str(root), *words], check=True)


def _archive(work: Path) -> Path:
    chance = random.Random(20)
    layers = [
        make_layer(work / f"view-{number}.tar", _entries(chance, number), compression="none")
        for number in range(_LAYERS)
    ]
    path = work / "view.tar"
    write_docker_archive(make_image(layers), path, _NAME)
    return path


def _entries(chance: random.Random, number: int) -> Iterator[Entry]:
    if not number:
        for top in ("usr", "srv", "etc", "opt"):
            yield directory_entry(top)
    for file in range(_FILES // _LAYERS):
        above = f"srv/app/node_modules/m{chance.randrange(1500)}/lib"
        if chance.random() < 0.4:
            above = f"usr/lib/python3/m{chance.randrange(100)}/sub{chance.randrange(4)}"
        # Some names meet those of layers below.
        name = f"f{chance.randrange(40)}" if chance.random() < 0.2 else f"f{number}-{file}"
        yield file_entry(f"{above}/{name}", b"x" * chance.randrange(300))
