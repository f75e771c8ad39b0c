"""A store and a context for builds, each command a process of its own; and what may be left of them."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from tests.faults.household import MILLE, Household

from millefeuille.testing.images import MadeImage, write_docker_archive

EPOCH: Final = ("--timestamp", "1000000000")
BASE: Final = "base:1"
MADE: Final = "made:1"
SECRET: Final = "canary-7a1fd2c65b0e4c39"
COPY: Final = 'FROM scratch\nCOPY tree /t\nCOPY tree/one /two\nCMD ["x"]\n'
FROM: Final = "FROM scratch AS one\nCOPY tree /t\nFROM scratch\nWORKDIR /w\nCOPY --from=one /t /u\n"
_MOUNTS: Final = (
    "--mount=type=cache,target=/cache --mount=type=bind,source=tree,target=/bound"
    " --mount=type=secret,id=s,required=true"
)
RUN: Final = (
    f"FROM {BASE}\nRUN {_MOUNTS} echo x >> /cache/log; grep -c canary /run/secrets/s > /n;"
    " cp -r /bound /copied\n"
)
FAILING: Final = f"FROM {BASE}\nRUN {_MOUNTS} cp /bound/one /left; echo x >> /cache/log; exit 3\n"
FILES: Final = {"tree/one": b"one\n" * 1000, "tree/sub/two": b"two\n" * 30_000, "tree/sub/three": b""}
_MOST: Final = 600  # seconds for a command


class Yard(Household):
    """Builds on one store: the context is `context`, the secret `s` holds SECRET."""

    def __init__(self, directory: Path, busybox: MadeImage | None = None) -> None:
        super().__init__(directory / "store")
        self.directory = directory
        self.context = directory / "context"
        self.secret = directory / "secret"
        self.secret.write_text(SECRET + "\n")
        for name, data in FILES.items():
            path = self.context / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if busybox is not None:
            write_docker_archive(busybox, directory / "base.tar", BASE)
            self.done("load", "-q", "-i", str(directory / "base.tar"))

    def words(self, dockerfile: str, *more: str) -> tuple[str, ...]:
        """The command that builds a Dockerfile in the context and calls it MADE."""
        file = self.directory / f"Dockerfile.{abs(hash(dockerfile))}"
        file.write_text(dockerfile)
        secret = f"id=s,src={self.secret}"
        return (
            "build", "-q", *EPOCH, "-t", MADE, "--secret", secret, "-f", str(file), *more, str(self.context),
        )  # fmt: skip

    def build(self, dockerfile: str, *more: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        """Build."""
        return self.mille(*self.words(dockerfile, *more), fault=fault)

    def piped(
        self, data: bytes, *words: str, fault: str = "", trace: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with `data` on its standard input."""
        environment = {**os.environ, "MILLE_FAULT": fault, "MILLE_FAULT_TRACE": trace}
        done = subprocess.run(
            [MILLE, "--root", self.root, *words], env=environment, input=data,
            capture_output=True, timeout=_MOST, check=False,
        )  # fmt: skip
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    def archive(self, dockerfile: str) -> bytes:
        """The context and a Dockerfile as a tar."""
        out = BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, data in {**FILES, "Dockerfile": dockerfile.encode()}.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, BytesIO(data))
        return out.getvalue()

    def forget(self) -> None:
        """Remove what builds have made and keep the base."""
        self.mille("rmi", "-f", MADE)
        self.done("builder", "prune", "-a", "-f")

    def left(self, *, pruned: bool = False) -> list[str]:
        """What builds have left that is nobody's: nothing should be. What was on its way into the store may
        stay until `image prune`.
        """
        kept = {name.removesuffix(".json") for name in _names(f"{self.root}/build/kept")}
        wrong = []
        until_prune = ("ingest", "trash", "leases") if pruned else ()
        for directory in ("build/scratch-files", "build/scratch", *until_prune):
            wrong += [f"{directory}/{name}" for name in _names(f"{self.root}/{directory}")]
        wrong += [f"snapshots/{name}" for name in _names(f"{self.root}/snapshots") if name not in kept]
        for directory in ("builds", "runtime", "containers"):
            wrong += [f"run/{directory}/{name}" for name in _names(f"{self.place.run}/{directory}")]
        for directory, _, plain in os.walk(self.root if pruned else f"{self.root}/build"):
            wrong += [f"{directory}/{name}" for name in plain if ".tmp-" in name or ".new-" in name]
        wrong += [f"process {pid}" for pid in self.monitors()]
        wrong += [f"loop device of {path}" for path in _loops() if path.startswith(self.root)]
        chains = f"{self.place.run}/chains/"
        wrong += [f"mount {path}" for path in self.mounts() if not path.startswith(chains)]
        return wrong

    def remnants(self) -> list[str]:
        """What is left when the build cache is empty and nobody uses anything any more."""
        self.forget()
        self.done("image", "prune", "-f")
        self.mille("kill", "nobody")
        return [*self.left(pruned=True), *(f"mount {path}" for path in self.mounts()), *self.holding(SECRET)]

    def holding(self, text: str) -> list[str]:
        """The files of the store in which these words stand."""
        places = [self.root, self.place.run]
        found = subprocess.run(["grep", "-rlaF", text, *places], capture_output=True, text=True, check=False)
        return found.stdout.splitlines()


@dataclass(frozen=True)
class Work:
    """A command that is struck: `given` is done before, `act` is it, `code` how it ends undisturbed."""

    name: str
    act: Callable[[Yard, str, str], subprocess.CompletedProcess[str]]
    given: Callable[[Yard], None] = lambda yard: None
    code: int = 0
    prints: bool = True  # the ID of an image, always the same


def building(dockerfile: str) -> Callable[[Yard, str, str], subprocess.CompletedProcess[str]]:
    """`mille build` of a Dockerfile."""
    return lambda yard, fault, trace: yard.mille(*yard.words(dockerfile), fault=fault, trace=trace)


def _from_archive(yard: Yard, fault: str, trace: str) -> subprocess.CompletedProcess[str]:
    words = ("build", "-q", *EPOCH, "-t", MADE, "-")
    return yard.piped(yard.archive(COPY), *words, fault=fault, trace=trace)


def _all_built(yard: Yard) -> None:
    for dockerfile, code in ((COPY, 0), (RUN, 0), (FAILING, 3)):
        done = yard.build(dockerfile)
        assert done.returncode == code, done.stderr


def _pruning(yard: Yard, fault: str, trace: str) -> subprocess.CompletedProcess[str]:
    return yard.mille("builder", "prune", "-a", "-f", fault=fault, trace=trace)


WORKS: Sequence[Work] = (
    Work("copy", building(COPY)),
    Work("copy from a stage", building(FROM)),
    Work("run", building(RUN)),
    Work("failing run", building(FAILING), code=3, prints=False),
    Work("builder prune", _pruning, given=_all_built, prints=False),
    Work("archive", _from_archive),
)


def _names(directory: str) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if not name.endswith("lock")]
    except FileNotFoundError:
        return []


def _loops() -> list[str]:
    found = []
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.append(path.read_text().strip())
        except OSError:
            continue
    return found
