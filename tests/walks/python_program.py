"""What an ordinary user's Python program does, for test_ordinary_python.py. Its answer is JSON.

python_program.py ACT CONTEXT
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import millefeuille
from millefeuille import errors


@contextmanager
def thread() -> Iterator[None]:
    """Another thread for the length of the block."""
    over = threading.Event()
    running = threading.Thread(target=over.wait)
    running.start()
    try:
        yield
    finally:
        over.set()
        running.join()


def identity() -> list[object]:
    """Who this process is, and where its stores are."""
    with open("/proc/self/uid_map") as file:
        mapping = file.read().split()
    return [os.getuid(), os.geteuid(), mapping, millefeuille.Engine(environment={"HOME": "/h"}).root]


def build(engine: millefeuille.Engine, context: str) -> object:
    """Builds that end well and badly, beside another thread."""
    before, told = identity(), list[str]()
    with thread():
        image = engine.build(
            context, tags=iter(["built:1"]), progress=lambda event: told.append(type(event).__name__)
        )
        with open(f"{context}/Dockerfile", "a") as file:
            file.write("RUN exit 4\n")
        try:
            engine.build(context)
        except errors.MilleError as error:
            failure = [type(error).__name__, getattr(error, "code", None)]
        try:
            engine.run("built:1")
        except errors.Denied as error:
            refusal = str(error)
    return {
        "same": identity() == before, "tags": image.tags, "known": image == engine.image("built:1"),
        "events": sorted(set(told)), "failure": failure, "refusal": refusal,
    }  # fmt: skip


def check(engine: millefeuille.Engine, context: str) -> object:
    """What is wrong with the store, and what becomes of it."""
    before = identity()
    report = engine.check(data=True)
    done = engine.repair(report, data=True)
    return {"same": identity() == before, "problems": len(report.problems), "done": done}


def remove(engine: millefeuille.Engine, context: str) -> object:
    """Everything goes."""
    before = identity()
    engine.remove("built:1")
    engine.prune(all=True)
    return {
        "same": identity() == before, "images": len(engine.images(all=True)),
        "left": [os.listdir(f"{engine.root}/{name}") for name in ("extracted", "trash")],
    }  # fmt: skip


if __name__ == "__main__":
    acts = {"build": build, "check": check, "remove": remove}
    print(json.dumps(acts[sys.argv[1]](millefeuille.Engine(), sys.argv[2])))
