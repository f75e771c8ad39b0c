"""Cases played by several builders at once, and what of their images differs from ours."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

from tests.walks.building import base, builders
from tests.walks.building.builders import Builder, Refused
from tests.walks.building.case import Case, Known
from tests.walks.building.compare import Difference, differences, in_history
from tests.walks.building.context import write
from tests.walks.building.image import Image

from millefeuille.testing.images import MadeImage, write_docker_archive
from millefeuille.testing.servers import ServerMissing, dockerd, program

Outcome = Image | Refused
Played = dict[str, dict[str, Outcome]]


@contextlib.contextmanager
def bench(directory: Path, busybox: MadeImage, wanted: Sequence[str]) -> Iterator[dict[str, Builder]]:
    """Ours, and those of the wanted builders that this machine has, each with the base image."""
    archive = directory / "base.tar"
    write_docker_archive(base.base_image(busybox, directory), archive, base.NAME)
    with contextlib.ExitStack() as stack:
        stack.callback(_unmount_below, str(directory))
        found = {"mille": builders.mille(directory, archive)}
        with contextlib.suppress(ServerMissing):
            if "buildah" in wanted:
                found["buildah"] = builders.buildah(directory, archive)
        with contextlib.suppress(ServerMissing):
            if {"classic", "buildkit"} & set(wanted):
                server = stack.enter_context(dockerd(directory / "dockerd"))
                found["classic"], found["buildkit"] = builders.docker(directory, archive, server.host)
        yield found


def _unmount_below(directory: str) -> None:
    """Buildah leaves its storage mounted, and the container of a build that failed."""
    table = Path("/proc/self/mounts").read_text()
    for target in (line.split(" ")[1] for line in reversed(table.splitlines())):
        if target.startswith(f"{directory}/"):
            subprocess.run([program("umount"), "--lazy", target], check=False)


def play(cases: Sequence[Case], crew: Mapping[str, Builder], directory: Path) -> Played:
    """What each builder that knows a case makes of it; two builds at a time."""

    def one(work: tuple[Case, str]) -> Outcome:
        case, name = work
        return crew[name].play(case, directory / "contexts" / case.name, f"case-{case.name}".lower())

    for case in cases:
        dockerfile = case.dockerfile.removeprefix("\n")
        write(directory / "contexts" / case.name, {"Dockerfile": dockerfile, **case.files})
    works = [(case, name) for case in cases for name in ("mille", *case.peers) if name in crew]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(one, works))
    played: Played = {}
    for (case, name), outcome in zip(works, outcomes, strict=True):
        played.setdefault(case.name, {})[name] = outcome
    return played


def complaints(case: Case, outcomes: Mapping[str, Outcome], known: Sequence[Known]) -> list[str]:
    """Every difference that is not known, and every known one of just this case that is gone."""
    found = []
    for peer in case.peers:
        if peer not in outcomes:
            continue
        seen = compared(peer, outcomes[peer], outcomes["mille"])
        about = [one for one in known if fnmatchcase(case.name, one.case) and fnmatchcase(peer, one.peer)]
        for difference in seen:
            if not any(_is(one, difference) for one in about):
                found.append(f"{peer}: {difference}")
        for one in about:
            if one.case == case.name and not any(_is(one, difference) for difference in seen):
                found.append(f"{peer}: {one.what}: equal by now, but listed as different")
    return found


def _is(known: Known, seen: Difference) -> bool:
    return fnmatchcase(seen.what, known.what) and known.holds(seen.theirs, seen.ours)


def compared(peer: str, theirs: Outcome, ours: Outcome) -> list[Difference]:
    """All that differs, in the order that helps to find out why."""
    if isinstance(theirs, Refused) or isinstance(ours, Refused):
        if isinstance(theirs, Refused) and isinstance(ours, Refused):
            return []
        words = ["fails: " + one.words if isinstance(one, Refused) else "builds" for one in (theirs, ours)]
        return [Difference(what="outcome", theirs=words[0], ours=words[1])]
    found = differences(theirs, ours)
    if peer == "buildkit":
        found += in_history(theirs, ours)
    return found


def everything() -> bool:
    """Whether all cases are asked for, not a slice."""
    return bool(os.environ.get("MILLE_ALL"))
