"""A step in a process of its own that kills itself at the n-th act on the disk: a program for test_killed.py.

doomed.py DIRECTORY CHAIN LIMIT SCRIPT
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from tests.build.running.steps import Steps

from millefeuille import files
from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.wish import Bind, Cache, ChainTree, HostTree, Secret
from millefeuille.oci.digest import Digest
from millefeuille.runtime.probe import find
from millefeuille.snapshots.chain import Chain, LayerTar
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter


def written(chain: Chain) -> str:
    """A chain as one word."""
    layers = [[str(layer.diff_id), layer.path, layer.size] for layer in chain.layers]
    return json.dumps([str(chain.id), chain.metadata, layers])


def read(text: str) -> Chain:
    """The chain again."""
    id, metadata, layers = json.loads(text)
    tars = (LayerTar(diff_id=Digest.parse(diff), path=path, size=size) for diff, path, size in layers)
    return Chain(id=Digest.parse(id), metadata=metadata, layers=tuple(tars))


def steps(top: Path, chain: Chain) -> Steps:
    """Steps as a build has them: chains are attached where all see them."""
    snapshots = ErofsSnapshotter(
        str(top / "snapshots"), lambda _: chain, Attached(str(top / "run/chains"))
    )
    host = RunHost(
        snapshots=snapshots, runtime=find(str(top / "runtime")), directory=str(top / "run/bundles"),
        work=str(top / "work"),
    )  # fmt: skip
    return Steps(host, chain.id)


def main() -> None:
    top, chain, limit, script = Path(sys.argv[1]), read(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    made = steps(top, chain)
    count = 0

    def act(name: str, subject: object) -> None:
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)

    files.hook = act
    mounts = (
        Bind(target="/tree", source=ChainTree(chain=chain.id), writable=True),
        Bind(target="/context", source=HostTree(root=str(top / "context"), hidden=(b"hidden",))),
        Cache(target="/cache", seed=HostTree(root=str(top / "context"))),
        Secret(value=b"hush", target="/run/secrets/it"),
    )
    try:
        made.sh(script, mounts=mounts, keep=True)
    except StepFailed:
        pass
    print(count)


if __name__ == "__main__":
    main()
