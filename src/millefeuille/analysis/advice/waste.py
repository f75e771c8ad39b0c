"""Waste: the files of an image's own layers, each to be claimed by one piece of advice and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from millefeuille.analysis.advice.dropping import without
from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Ignore, Join, Prefix, Retarget
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.analysis.stacking import DELETED, KIND, METADATA, SAME_LAYER, Death
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY
from millefeuille.values import dataclass, field

_UNCONCERNED: Final = ("COPY", "ADD", "ENV", "ARG", "LABEL", "#")
IGNORE_FILE: Final = ".dockerignore"
_SAMPLE: Final = 5  # paths that a piece of advice names


# Gives the content of a regular file by its layer and its number there.
ReadEntry = Callable[[int, int], bytes | None]


def unread(layer: int, entry: int) -> None:
    """The content of a file of which nobody has any."""


class Place(NamedTuple):
    """An entry of a layer."""

    layer: int
    entry: int


@dataclass(kw_only=True)
class Waste:
    """The image, its account, its script, and what advice was given for so far. `own` layers have a step.
    `read` gives the content of an entry, None where nobody has it; `ignore_file` is where lines of
    .dockerignore belong.
    """

    image: Image
    account: Ledger
    script: Sequence[Step]
    read: ReadEntry = unread
    ignore_file: str = IGNORE_FILE
    claimed: set[Place] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)  # COPYs that advice takes away
    flags: dict[int, list[str]] = field(default_factory=dict)  # by step, flags that advice gives to it
    ignored: set[str] = field(default_factory=set)  # patterns of what advice leaves out of the context
    dropped: dict[int, list[str]] = field(default_factory=dict)  # by step, what advice takes out of a RUN
    bodies: dict[int, str] = field(default_factory=dict)  # by step, what of a RUN is left then
    altered: set[int] = field(default_factory=set)  # RUNs that advice gives another command
    retargeted: set[int] = field(default_factory=set)  # COPYs that advice has bring the same to another place
    joined: list[tuple[int, ...]] = field(default_factory=list)  # steps of which advice makes one
    mounted: dict[int, list[str]] = field(default_factory=dict)  # by step, where advice mounts something

    def __post_init__(self) -> None:
        made = {step.layer: number for number, step in enumerate(self.script) if step.layer >= 0}
        self.own: Mapping[int, int] = made

    def step(self, layer: int) -> Step:
        """The instruction that made one of the own layers."""
        return self.script[self.own[layer]]

    def files(self, layer: int) -> Iterator[tuple[Place, bytes]]:
        """The unclaimed files with content in a layer, with their paths."""
        part = self.image.parts[layer].layer
        for entry, (path, size) in enumerate(zip(part.paths, part.sizes, strict=True)):
            if size and Place(layer, entry) not in self.claimed:
                yield Place(layer, entry), path

    def deaths(self) -> Iterator[Death]:
        """The unclaimed files of own layers that another own layer killed."""
        for death in self.account.deaths:
            if death.cause == SAME_LAYER or Place(death.writer, death.entry) in self.claimed:
                continue
            if death.writer in self.own and death.killer in self.own and self.size(death):
                yield death

    def pairs(self, wanted: Callable[[Death], bool]) -> dict[tuple[int, int], list[Death]]:
        """Those of `deaths` that are wanted, by the layers that wrote and killed them."""
        found: dict[tuple[int, int], list[Death]] = {}
        for death in self.deaths():
            if wanted(death):
                found.setdefault((death.writer, death.killer), []).append(death)
        return found

    def removed_copies(self) -> dict[tuple[int, int], list[Death]]:
        """The files of a COPY or ADD that a RUN removed, by their layers."""
        return self.pairs(
            lambda death: death.cause == DELETED
            and self.step(death.writer).word in ("COPY", "ADD")
            and self.step(death.killer).word == "RUN"
        )

    def is_next(self, first: int, second: int) -> bool:
        """Whether nothing between two steps needs a file of the image."""
        return all(step.word in _UNCONCERNED for step in self.script[first + 1 : second])

    def size(self, death: Death) -> int:
        """The bytes of a file that died."""
        return self.image.parts[death.writer].layer.sizes[death.entry]

    def path(self, place: Place) -> bytes:
        """The path of an entry."""
        return self.image.parts[place.layer].layer.paths[place.entry]

    def is_kept(self, death: Death) -> bool:
        """Whether the layer that wrote a file again has it with the content, owner and mode that it had."""
        lower, upper = self.image.parts[death.writer].layer, self.image.parts[death.killer].layer
        entry = upper.written.get(self.path(place(death)))
        if death.cause != METADATA or entry is None:
            return False
        (old, a), (new, b) = (lower.index, death.entry), (upper.index, entry)
        return (old.uids[a], old.gids[a], old.modes[a]) == (new.uids[b], new.gids[b], new.modes[b])

    def is_other(self, layer: int, path: bytes) -> bool:
        """Whether a directory of a layer got another owner or mode there, and not a new time alone."""
        part = self.image.parts[layer].layer
        entry = part.written[path]
        for lower in (one.layer for one in reversed(self.image.parts[:layer])):
            before = lower.written.get(path)
            if before is not None:
                old = (lower.index.uids[before], lower.index.gids[before], lower.index.modes[before])
                break
        else:
            old = (0, 0, 0o755)  # of a directory that no entry names
        return old != (part.index.uids[entry], part.index.gids[entry], part.index.modes[entry])

    def is_touched(self, layer: int, path: bytes) -> bool:
        """Whether a layer has a directory for no more than what it wrote in it."""
        part = self.image.parts[layer].layer
        entry = part.written[path]
        is_old = part.kinds[entry] == DIRECTORY and entry in self.account.changes[layer]
        return is_old and self.account.changes[layer][entry] != KIND and not self.is_other(layer, path)

    def give(self, edits: Iterable[Edit]) -> None:
        """Remember what advice does to steps, which later advice is to keep."""
        for edit in edits:
            if isinstance(edit, AddFlag):
                self.flags.setdefault(edit.step, []).append(edit.flag)
            elif isinstance(edit, DropCommands):
                self.dropped.setdefault(edit.step, []).extend(edit.commands)
                self.altered.update([edit.step] if edit.instead else [])
                self.bodies[edit.step] = without(self.body(edit.step), edit.commands, edit.instead)
            elif isinstance(edit, Prefix):
                self.altered.add(edit.step)
            elif isinstance(edit, Retarget):
                self.retargeted.add(edit.step)
            elif isinstance(edit, Join):
                self.joined.append(edit.steps)
            elif isinstance(edit, Ignore):
                self.ignored.add(edit.pattern)

    def body(self, number: int) -> str:
        """What a RUN does as far as advice leaves it."""
        return self.bodies.get(number, self.script[number].body)

    def is_joined(self, steps: Sequence[int]) -> bool:
        """Whether advice makes one RUN of some of the steps and another one."""
        return any(not set(steps).isdisjoint(row) and not set(steps).issuperset(row) for row in self.joined)

    def is_omitted(self, number: int, file: str) -> bool:
        """Whether advice leaves a file of the context out of what a COPY brings."""
        names = file.split("/")
        paths = {"/".join(names[: at + 1]) for at in range(len(names))}
        given = [flag for flag in self.flags.get(number, []) if flag.startswith("--exclude=")]
        left_out = {*self.ignored, *(flag.partition("=")[2] for flag in given)}
        return not left_out.isdisjoint(paths | {f"**/{name}" for name in names})

    def claim(
        self, places: Iterable[Place], *, is_followed: bool = True
    ) -> tuple[int, int, tuple[bytes, ...]]:
        """Take these for a piece of advice: their bytes, about their compressed ones, the largest paths. What
        a person is to follow takes nothing.
        """
        taken = [place for place in places if place not in self.claimed]
        self.claimed.update(taken if is_followed else ())
        sizes = {place: self.image.parts[place.layer].layer.sizes[place.entry] for place in taken}
        packed = sum(self.account.packed_size(*place) for place in taken)
        largest = sorted(taken, key=lambda place: (-sizes[place], self.path(place)))
        paths = dict.fromkeys(self.path(place) for place in largest)
        return sum(sizes.values()), packed, tuple(paths)[:_SAMPLE]


def place(death: Death) -> Place:
    """The entry that died."""
    return Place(death.writer, death.entry)
