"""Mounts: files that were copied for commands, and removed by a later RUN when these are done."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice import removing, shell
from millefeuille.analysis.advice.advice import BIND_MOUNT, Advice
from millefeuille.analysis.advice.bearing import bears
from millefeuille.analysis.advice.dropping import without
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Insert, Remove
from millefeuille.analysis.advice.merging import join
from millefeuille.analysis.advice.passing import is_around
from millefeuille.analysis.advice.reach import may_mean
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.targets import absolute_path, are_entered, are_theirs, kept, lies_in, writes
from millefeuille.analysis.advice.waste import Waste, place
from millefeuille.analysis.stacking import Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, WHITEOUT

STAGE: Final = "added"  # what is unpacked or fetched there is mounted from it
_UNPACKED: Final = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".gz",
    ".xz", ".bz2", ".zst",
)  # fmt: skip


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
        waste.give(edits)
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
    removed = _removed(waste, killer, users, targets)
    around = kept(waste, writer, killer, targets)
    if not removed or around is None or not are_theirs(waste, writer, killer, targets):
        return (), []
    if are_entered(waste, first, second, targets):
        if set(shell.commands(waste.script[second].body) or ()) != set(removed) or len(users) < 2:
            return (), []
        del users[-1]  # which removes the directory that a WORKDIR makes then, without a mount in it
    beside = [death for death in waste.deaths() if death.killer == killer and death.writer != writer]
    more = [death for death in beside if lies_in(absolute_path(waste.path(place(death))), targets)]
    writers = [n for n in users if n != second and writes(waste, waste.script[n].layer, targets)]
    joined = [n for n in users if writers and n >= writers[0]]
    together = join(waste, joined[0], joined[-1]) if len(joined) > 1 else ()
    if len(joined) > 1 and not together:
        return (), []
    edits = [*_instead(waste, first, binds, around), *_mounted(waste, first, binds, users)]
    edits += [DropCommands(second, removed)] if second in users else []
    return (*edits, *together), more


def _instead(waste: Waste, number: int, binds: Sequence[_Bind], around: Sequence[str]) -> list[Edit]:
    """The edits that take a COPY away, with what is needed instead of it."""
    made = [Insert(number, f"RUN mkdir -p {shlex.join(around)}")] if around else []
    return [*stage_of(waste, number, binds[0].source), *made, Remove(number)]


def _mounted(waste: Waste, number: int, binds: Sequence[_Bind], users: Sequence[int]) -> list[Edit]:
    """The edits that mount what a COPY brought."""
    for user in users:
        waste.mounted.setdefault(user, []).extend(bind.target for bind in binds)
    return [AddFlag(user, flag) for user in users for flag in _flags(waste, number, binds)]


def _removed(waste: Waste, killer: int, users: Sequence[int], targets: Sequence[str]) -> tuple[str, ...]:
    """The commands that remove what is mounted; none where mounts do not do for the RUNs `users`."""
    removed = removing.commands(waste, killer, targets)
    if not removed or any(waste.script[n].fixed for n in users):
        return ()
    bodies = [waste.script[number].body for number in users]
    row = shell.commands(bodies[-1]) or ()
    behind = [text for text in row[row.index(removed[0]) :] if text not in removed]
    bodies[-1] = without(bodies[-1], removed)
    # A mount is there to the end.
    is_seen = any(_may_see(waste, users[-1], targets, text) for text in behind)
    return removed if not is_seen and all(bears(body, targets) for body in bodies) else ()


def _may_see(waste: Waste, number: int, targets: Sequence[str], text: str) -> bool:
    return may_mean(waste, number, targets, text) or is_around(waste, number, targets, text)


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
    found = set(map(absolute_path, files))
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
    if waste.flags.get(number):
        return False
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
