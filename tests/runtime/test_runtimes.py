"""The Runtime contract: runc, crun, and the one for tests without containers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.runtime import RuntimeContract
from tests.runtime.box import Box

from millefeuille.runtime import execution, namespaces
from millefeuille.runtime.runc import Runc
from millefeuille.testing.processruntime import ProcessRuntime

# crun takes control groups of one version only. In a mount namespace of its own it sees those of version 2,
# without controllers.
_ALONE = """#!/bin/sh
exec unshare --mount --propagation slave sh -c '
    umount -R -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
    exec {crun} "$@"' crun "$@"
"""


class RealBench:
    """A runtime that makes containers."""

    def __init__(self, box: Box, runtime: Runc, *, freezes: bool) -> None:
        box.runtime = runtime
        self.freezes = freezes
        self._box = box
        self._count = 0

    @property
    def runtime(self) -> Runc:
        return self._box.runtime

    def bundle(self, *words: str) -> tuple[str, str]:
        return self._box.bundle(*words)

    def process(self, *words: str) -> dict[str, Any]:
        root = os.open(self._box.root, os.O_PATH)
        try:
            return execution.document(root, {}, {}, execution.Wanted(arguments=words))
        finally:
            os.close(root)

    def directory(self) -> str:
        self._count += 1
        path = self._box.top / f"exec{self._count}"
        path.mkdir()
        return str(path)


@pytest.mark.walk
class TestRunc(RuntimeContract):
    @pytest.fixture
    def bench(self, box: Box) -> RealBench:
        program = shutil.which("runc")
        if program is None:
            pytest.skip("needs runc")
        return RealBench(box, Runc(program, str(box.top / "runc")), freezes=True)


@pytest.mark.walk
class TestCrun(RuntimeContract):
    @pytest.fixture
    def bench(self, box: Box) -> RealBench:
        program = shutil.which("crun")
        if program is None:
            pytest.skip("needs crun")
        directory = str(box.top / "crun")
        if not namespaces.is_hybrid():
            return RealBench(box, Runc(program, directory), freezes=True)
        alone = box.top / "crun-alone"
        alone.write_text(_ALONE.format(crun=program))
        alone.chmod(0o755)
        runtime = Runc(str(alone), directory, options=("--cgroup-manager=disabled",), limits=False)
        return RealBench(box, runtime, freezes=False)


class PretendBench:
    """Processes of the host's that stand for containers."""

    freezes = True

    def __init__(self, top: Path) -> None:
        self.runtime = ProcessRuntime()
        self.ids: list[str] = []
        self._top = top

    def bundle(self, *words: str) -> tuple[str, str]:
        self.ids.append(f"c{len(self.ids)}")
        path = self._top / self.ids[-1]
        path.mkdir()
        (path / "config.json").write_text(json.dumps({"process": self.process(*words)}))
        return self.ids[-1], str(path)

    def process(self, *words: str) -> dict[str, Any]:
        return {"args": list(words), "env": [f"PATH={os.environ['PATH']}"]}

    def directory(self) -> str:
        return str(self._top)


class TestPretended(RuntimeContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[PretendBench]:
        bench = PretendBench(tmp_path)
        yield bench
        for id in bench.ids:
            bench.runtime.delete(id)
