"""Mounts: files that were copied for commands, and removed by a later RUN when these are done."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from millefeuille.analysis.advice import removing, shell
from millefeuille.analysis.advice.advice import BIND_MOUNT, Advice
from millefeuille.analysis.advice.bearing import bears
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Insert, Join, Remove
from millefeuille.analysis.advice.merging import join
from millefeuille.analysis.advice.surroundings import absolute, user
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, WHITEOUT

STAGE: Final = "added"  # what is unpacked or fetched there is mounted from it
_UNPACKED: Final = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".gz",
    ".xz", ".bz2", ".zst",
)  # fmt: skip
_USUAL: Final = (0o755, 0, 0)  # mode and owner of a directory that root makes


class _Bind(NamedTuple):
    """What is mounted, and where: a path in the context, or in the stage where it is added."""

    source: str
    target: str


def mounts(waste: Waste) -> Iterator[Advice]:
    """Advice for each COPY from the context whose files a later RUN removes."""
    for (writer, killer), deaths in waste.removed_copies().items():
        edits, more = _edits(waste, writer, killer, deaths)
        if not edits:
            continue
        waste.taken.add(waste.own[writer])
        size, packed, paths = waste.claim(place(death) for death in (*deaths, *more))
        yield Advice(
            kind=BIND_MOUNT, steps=(waste.own[writer], waste.own[killer]), size=size, packed=packed,
            paths=paths, edits=edits,
            text="Mount what only a command needs (RUN --mount=type=bind) instead of removing it later",
        )  # fmt: skip


def _edits(
    waste: Waste, writer: int, killer: int, deaths: list[Death]
) -> tuple[tuple[Edit, ...], list[Death]]:
    """The edits, and what else is not stored then: what commands wrote beside the copied files."""
    first, second = waste.own[writer], waste.own[killer]
    binds = _binds(waste, first, {waste.path(place(death)) for death in deaths})
    targets = [bind.target for bind in binds]
    users = [n for n in range(first + 1, second + 1) if waste.script[n].word == "RUN"]
    removed = _removed(waste, writer, killer, users, binds)
    kept = _kept(waste, writer, killer, targets)
    if not removed or kept is None:
        return (), []
    beside = [death for death in waste.deaths() if death.killer == killer and death.writer != writer]
    more = [death for death in beside if _lies_in(waste, death, binds)]
    writers = [n for n in users if any(waste.own[death.writer] == n for death in more)]
    joined = [n for n in users if writers and n >= writers[0]]
    if len(joined) > 1 and not join(waste, joined[0], joined[-1]):
        return (), []
    edits: list[Edit] = [*stage_of(waste, first, binds[0].source)]
    edits += [Insert(first, f"RUN mkdir -p {shlex.join(kept)}")] if kept else []
    edits.append(Remove(first))
    for number in users:
        edits += [AddFlag(number, flag) for flag in _flags(waste, first, binds)]
        waste.mounted.setdefault(number, []).extend(targets)
    edits.append(DropCommands(second, removed))
    return (*edits, *((Join(tuple(joined)),) if len(joined) > 1 else ())), more


def _removed(
    waste: Waste, writer: int, killer: int, users: Sequence[int], binds: Sequence[_Bind]
) -> tuple[str, ...]:
    """The commands that remove what is mounted; none where mounts do not do for the RUNs `users`."""
    targets = [bind.target for bind in binds]
    removed = removing.commands(waste, killer, targets)
    if not removed or any(waste.script[n].fixed for n in users) or _is_hidden(waste, writer, binds):
        return ()
    bodies = [waste.script[number].body for number in users]
    bodies[-1] = shell.without(bodies[-1], removed)
    return removed if all(bears(body, targets) for body in bodies) else ()


def _kept(waste: Waste, writer: int, killer: int, targets: Sequence[str]) -> list[str] | None:
    """The directories to be made that the COPY makes around the targets, and that stay; None where `mkdir`
    does not make them so, or the RUN removes what a target is in, which a mount keeps it from.
    """
    around = {path for target in targets for path in map(str, PurePosixPath(target).parents)}
    if not around.isdisjoint(map(_absolute, waste.account.removed[killer])):
        return None
    layer, changes = waste.image.parts[writer].layer, waste.account.changes[writer]
    made = {
        text: n for path, n in layer.written.items()
        if n not in changes and (text := _absolute(path)) in around
    }  # fmt: skip
    index = layer.index
    is_usual = all((index.modes[n], index.uids[n], index.gids[n]) == _USUAL for n in made.values())
    if made and (not is_usual or user(waste, waste.own[writer])):
        return None
    parents = {str(parent) for path in made for parent in PurePosixPath(path).parents}
    return sorted(made.keys() - parents)


def _binds(waste: Waste, number: int, gone: set[bytes]) -> list[_Bind]:
    """A mount for each source; none where these are not all files of a COPY or it is not plain what became
    of which.
    """
    copy, target = waste.script[number], absolute(waste, number, waste.script[number].operands[-1])
    layer = waste.image.parts[copy.layer].layer
    rows = zip(layer.paths, layer.kinds, strict=True)
    files = {path for path, kind in rows if kind not in (DIRECTORY, WHITEOUT)}
    if copy.fixed or not copy.copies or files != gone or not _is_as_it_was(waste, number):
        return []
    sources = [word.strip("/").removeprefix("./") for word in copy.operands[:-1]]
    if target is None or not files or any(sign in copy.body for sign in "*?[$\"'\\"):
        return []
    found = set(map(_absolute, files))
    inside = target != "/" and all(path.startswith(target + "/") for path in found)
    if is_made(waste, number):
        if found == {target}:
            return [_Bind(f"/{posixpath.basename(target)}", target)]
        return [_Bind("/", target)] if inside else []
    if len(found) == len(sources):
        plain = [_Bind(source, posixpath.join(target, posixpath.basename(source))) for source in sources]
        if {bind.target for bind in plain} == found:
            return plain
    if len(sources) == 1 and found == {target}:
        return [_Bind(sources[0], target)]
    return [_Bind(sources[0] or ".", target)] if len(sources) == 1 and inside else []


def _is_as_it_was(waste: Waste, number: int) -> bool:
    """Whether what is mounted has the owners and modes of what is copied, and is the same."""
    flags = dict(flag.partition("=")[::2] for flag in waste.script[number].flags)
    if is_made(waste, number):  # with the flags, but where nobody has a name
        return re.fullmatch(r"\d*(:\d+)?", flags.get("--chown", "")) is not None
    return flags.keys() <= {"--link"}


def is_made(waste: Waste, number: int) -> bool:
    """Whether an ADD fetches or unpacks something, which a mount of the context does not."""
    step = waste.script[number]
    return step.word == "ADD" and any(
        "://" in word or word.startswith("git@") or word.lower().endswith(_UNPACKED)
        for word in step.operands[:-1]
    )


def stage_of(waste: Waste, number: int, target: str = "/") -> tuple[Edit, ...]:
    """A stage in which an ADD is done that a mount of the context cannot be instead of, in front of the one
    that it stands in.
    """
    if not is_made(waste, number):
        return ()
    step = waste.script[number]
    begins = max(n for n in range(number) if waste.script[n].word == "FROM")
    add = " ".join((step.word, *step.flags, *step.operands[:-1], target))
    return Insert(begins, f"FROM scratch AS {STAGE}{number}"), Insert(begins, add)


def _flags(waste: Waste, number: int, binds: Sequence[_Bind]) -> list[str]:
    stage = f"from={STAGE}{number}," if is_made(waste, number) else ""
    # What a RUN writes there and removes again leaves no trace in its layer, so all may be written into; it
    # is forgotten behind the RUN.
    return [f"--mount=type=bind,{stage}source={bind.source},target={bind.target},rw" for bind in binds]


def _is_hidden(waste: Waste, writer: int, binds: Sequence[_Bind]) -> bool:
    """Whether a mount would cover what the layers below have in its place."""
    below = [part.layer.written for part in waste.image.parts[:writer]]
    places = [bind.target.encode("utf-8", "surrogateescape")[1:] for bind in binds]
    return any(
        path == place or path.startswith(place + b"/")
        for written in below for path in written for place in places
    )  # fmt: skip


def _lies_in(waste: Waste, death: Death, binds: Sequence[_Bind]) -> bool:
    path = _absolute(waste.path(place(death)))
    return any(path.startswith(bind.target + "/") for bind in binds)


def _absolute(path: bytes) -> str:
    return "/" + path.decode("utf-8", "surrogateescape")
