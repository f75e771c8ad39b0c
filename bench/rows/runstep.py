"""Twenty RUN steps that do nothing, beside as many bare runs of the same command by the same runtime.

Both have the system call filter that containers have everywhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.builders import builders
from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground
from millefeuille.runtime import seccomp
from millefeuille.testing.servers import program

_STEPS: Final = 20
_DOCKERFILE: Final = "FROM scratch\nCOPY busybox /bin/true\n" + 'RUN ["/bin/true"]\n' * _STEPS


class _Bare(Contestant):
    """The runtime alone, on a root that is there already."""

    name = "runc"

    def __init__(self, disk: Path) -> None:
        super().__init__(disk)
        bundle = self.home / "bundle"
        (bundle / "rootfs/bin").mkdir(parents=True)
        for name in ("proc", "dev", "sys"):
            (bundle / "rootfs" / name).mkdir()
        shutil.copy(program("busybox"), bundle / "rootfs/bin/true")
        subprocess.run([program("runc"), "spec"], cwd=bundle, check=True)
        document = json.loads((bundle / "config.json").read_text())
        document["process"] |= {"args": ["/bin/true"], "terminal": False}
        # What Docker, podman and we ask the runtime for in each container; its own sample has none.
        capabilities = document["process"]["capabilities"]["bounding"]
        document["linux"]["seccomp"] = seccomp.resolved(seccomp.default(), capabilities)
        (bundle / "config.json").write_text(json.dumps(document))
        loop = f"for n in $(seq {_STEPS}); do {program('runc')} run --bundle {bundle} bench-$n; done"
        self.prefix = ["sh", "-ec", loop]

    def warm_up(self) -> None:
        self._quietly()

    def reset(self) -> None:
        """Nothing stays."""


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it: the whole of a build with that many steps, the start of the program with it."""
    context = ground.work / "steps"
    context.mkdir(exist_ok=True)
    shutil.copy(program("busybox"), context / "busybox")
    (context / "Dockerfile").write_text(_DOCKERFILE)
    mille = next(one for one in builders(ground) if one.contestant.name == "mille")

    def act() -> Sequence[str]:
        return mille.build(context, "bench/steps", "--no-cache")

    bare = _Bare(ground.disk)
    trials = [
        Trial(contestant=mille.contestant, prepare=mille.forget, act=act),
        Trial(contestant=bare, prepare=bare.reset, act=list),
    ]
    result = contest("runstep", trials, ground.runs)
    mille.forget()
    return result, result.at_most(2, "mille", "runc")
