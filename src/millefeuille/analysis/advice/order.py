"""Order: sources, which change with every commit, copied in front of work that does not depend on them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.advice import ORDER, Advice, Trigger
from millefeuille.analysis.advice.dropping import fails_with, without
from millefeuille.analysis.advice.edits import DropCommands, Edit, Insert, Move, Retarget
from millefeuille.analysis.advice.installs import Reading, reading
from millefeuille.analysis.advice.joining import exits
from millefeuille.analysis.advice.mounts import is_made
from millefeuille.analysis.advice.passing import names_of, says
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import absolute, shell, workdir
from millefeuille.analysis.advice.waste import Place, Waste, place
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE

_PASSED: Final = ("LABEL", "EXPOSE", "ENV", "ARG", "#", "WORKDIR", "CMD", "ENTRYPOINT", "STOPSIGNAL")

_MOVING: Final = ("WORKDIR", "ENV", "ARG", "COPY", "ADD")  # what a RUN may go by


class _Copied(NamedTuple):
    """What a COPY of a directory brought: where from, where to, the files below that, and their layer."""

    source: str
    target: str
    files: tuple[str, ...]
    layer: int


class _Work(NamedTuple):
    """The RUNs that may go in front of a COPY, what they read of it, the one that goes in part, and whether
    they read nothing else.
    """

    passed: tuple[int, ...]
    needed: tuple[str, ...]
    parted: tuple[int, Reading] | None
    is_all: bool


def order(waste: Waste) -> Iterator[Advice]:
    """Advice for COPYs of whole directories in front of installations."""
    for number, step in enumerate(waste.script):
        is_gone = number in waste.taken or number in waste.retargeted
        is_there = step.layer >= 0 and not is_gone and not is_made(waste, number)
        if step.copies and is_there and not step.fixed and len(step.operands) == 2:
            copied = _copied(waste, number)
            advice = _advice(waste, number, copied, _work(waste, number, copied)) if copied else None
            if advice is not None:
                yield advice


def _copied(waste: Waste, number: int) -> _Copied | None:
    step = waste.script[number]
    target = absolute(waste, number, step.operands[1])
    layer = waste.image.parts[step.layer].layer
    rows = zip(layer.paths, layer.kinds, strict=True)
    files = ["/" + path.decode("utf-8", "surrogateescape") for path, kind in rows if kind == FILE]
    if target is None:
        return None
    below = target.rstrip("/") + "/"
    if len(files) < 2 or not all(file.startswith(below) for file in files):
        return None
    source = step.operands[0].strip("/").removeprefix("./")
    source = "" if source == "." else source
    return _Copied(source, target, tuple(file[len(below) :] for file in files), step.layer)


def _work(waste: Waste, number: int, copied: _Copied) -> _Work:
    """What may go in front of the COPY, up to the first step that may read anything of it."""
    passed: list[int] = []
    needed: list[str] = []
    moves, is_all = False, True
    for later in range(number + 1, len(waste.script)):
        run = waste.script[later]
        if run.word in ("ENV", "ARG") and _says_any(waste.script[number], run):
            break
        moves = moves or run.word in _MOVING
        if _is_emptied(waste, later):
            continue
        if run.word in _PASSED or (run.word in ("COPY", "ADD") and _is_apart(waste, number, later)):
            continue
        found = _reading(waste, later, copied) if run.word == "RUN" and run.layer >= 0 else None
        if found is None or not found.commands:
            break
        is_all = is_all and found.is_all
        if found.rest:
            # A part of a RUN is only worth it when it installs something, and what it meets has to stay.
            strict = exits(shell(waste, later) or ())
            is_same = fails_with(run.body, len(found.commands), errexit=strict)
            if found.files and is_same and not passed and not moves:
                needed += found.files
                return _Work((), tuple(needed), (later, found), is_all)
            break
        needed += [file for file in found.files if file not in needed]
        passed.append(later)
    return _Work(tuple(passed), tuple(needed), None, is_all)


def _is_emptied(waste: Waste, number: int) -> bool:
    """Whether other advice leaves nothing of a RUN. What it moved lies elsewhere already then, so that others
    may not go by.
    """
    dropped = waste.dropped.get(number)
    if not dropped or number in waste.altered or waste.retargeted or waste.is_joined([number]):
        return False
    return not without(waste.script[number].body, dropped)


def _says_any(copy: Step, setting: Step) -> bool:
    """Whether a COPY names what an ENV or ARG sets."""
    names = names_of(setting)
    return "$" in copy.text and (names is None or any(says(copy, name) for name in names))


def _is_apart(waste: Waste, number: int, later: int) -> bool:
    """Whether another COPY brings other files, so that their order does not matter."""
    numbers = [layer for n in (number, later) if (layer := waste.script[n].layer) >= 0]
    layers = [waste.image.parts[layer].layer for layer in numbers]
    written = [{path for path, n in one.written.items() if one.kinds[n] != DIRECTORY} for one in layers]
    return len(written) == 2 and written[0].isdisjoint(written[1])


def _reading(waste: Waste, number: int, copied: _Copied) -> Reading | None:
    """What a RUN reads of what was copied, by paths below its target."""
    run, here = waste.script[number], workdir(waste, number)
    if run.fixed or here is None:
        return None
    names = {posixpath.relpath(f"{copied.target}/{file}", here): file for file in copied.files}
    names |= {f"{copied.target.rstrip('/')}/{file}": file for file in copied.files}
    there = _there(waste, number, here)
    written = waste.image.parts[copied.layer].layer.written

    def read(name: str) -> bytes | None:
        if name not in names:
            return waste.read(*there[name])
        path = posixpath.join(copied.target, names[name])[1:].encode("utf-8", "surrogateescape")
        return waste.read(copied.layer, written[path])

    found = reading(run.body, names, there, read)
    files = []
    for file in found.files:
        inside = names.get(file)
        if inside is None:  # a directory
            inside = posixpath.relpath(posixpath.join(here, file), copied.target)
        # Files of requirements name others that lie beside them.
        files.append(posixpath.dirname(inside) if "/" in inside and inside.endswith(".txt") else inside)
    return found._replace(files=tuple(dict.fromkeys(files)))


def _there(waste: Waste, number: int, here: str) -> dict[str, Place]:
    """The files below the working directory in the layers up to a RUN, by their paths from there on."""
    below = here.rstrip("/") + "/"
    found: dict[str, Place] = {}
    for layer, part in enumerate(waste.image.parts[: waste.script[number].layer]):
        for path, entry in part.layer.written.items():
            if part.layer.kinds[entry] != DIRECTORY:
                text = "/" + path.decode("utf-8", "surrogateescape")
                if text.startswith(below):
                    found[text[len(below) :]] = Place(layer, entry)
                found[text] = Place(layer, entry)
    return found


def _advice(waste: Waste, number: int, copied: _Copied, work: _Work) -> Advice | None:
    step = waste.script[number]
    other = sorted(file for file in copied.files if not _is_needed(file, work.needed))
    part = work.parted
    steps = work.passed if part is None else (part[0],)
    rebuilt = sum(waste.account.layers[waste.script[each].layer].stored for each in steps)
    # What is left out of the context by then shows nothing.
    other = sorted(other, key=lambda file: waste.is_omitted(number, posixpath.join(copied.source, file)))
    if not other or not rebuilt:  # what writes nothing is soon made again
        return None
    edits: list[Edit] = [
        Insert(number, " ".join(("COPY", *_kept(waste, number), *words)))
        for words in _copies(step.operands[1], copied, work.needed)
    ]
    edits += _moved(waste, number, copied, work) if part is None else _parted(waste, number, *part)
    is_safe = part is None or _may_be_parted(waste, part[0])
    is_safe = is_safe and work.is_all and not waste.is_joined(steps)
    is_safe = is_safe and not _writes_over(waste, number, copied, steps)
    is_safe = is_safe and not _may_leave_out(waste, number, copied, work.needed)
    return Advice(
        kind=ORDER, steps=(number, *steps), edits=tuple(edits) if is_safe else (), rebuilt=rebuilt,
        trigger=Trigger("file", posixpath.join(copied.source, other[0])),
        paths=(posixpath.join(copied.target, other[0])[1:].encode("utf-8", "surrogateescape"),),
        text="Install before the sources are copied: a change of a source file then leaves it in the cache",
    )  # fmt: skip


def _moved(waste: Waste, number: int, copied: _Copied, work: _Work) -> list[Edit]:
    """The edits that move a COPY, which may be into another working directory."""
    step, between = waste.script[number], waste.script[number : work.passed[-1]]
    edits: list[Edit] = []
    if not step.operands[1].startswith("/") and any(one.word == "WORKDIR" for one in between):
        edits.append(Retarget(number, f"{step.operands[0]} {copied.target.rstrip('/')}/"))
    return [*edits, Move(number, work.passed)]


def _parted(waste: Waste, number: int, later: int, found: Reading) -> list[Edit]:
    """The edits that put a part of a RUN in front of a COPY, with what other advice makes of it."""
    flags = dict.fromkeys((*waste.flags.get(later, ()), *waste.script[later].flags))
    done = [text for text in found.commands if text not in waste.dropped.get(later, ())]
    # Options of the shell are for both.
    dropped = tuple(text for text in found.commands if not text.startswith(("set ", "umask ")))
    return [Insert(number, " ".join(("RUN", *flags, " && ".join(done)))), DropCommands(later, dropped)]


def _is_needed(file: str, needed: Sequence[str]) -> bool:
    return any(file == name or file.startswith(name + "/") for name in needed)


def _may_be_parted(waste: Waste, number: int) -> bool:
    """Whether other advice has a RUN do nothing of which it is not known which part is to do it."""
    given = waste.flags.get(number, [])
    return number not in waste.altered and not any(flag.startswith("--mount=type=bind") for flag in given)


def _may_leave_out(waste: Waste, number: int, copied: _Copied, needed: Sequence[str]) -> bool:
    """Whether the COPY may leave out something of what is needed, or in it: an --exclude of its own left out
    no file that is there, one of other advice may.
    """
    given = [flag for flag in waste.flags.get(number, []) if flag.startswith("--exclude=")]
    own = [flag for flag in waste.script[number].flags if flag.startswith("--exclude=")]
    names = [flag.partition("=")[2].strip("/") for flag in given]
    return bool(own and set(needed) - set(copied.files)) or any(
        _is_needed(name, needed) or _is_needed(file, [name]) for name in names for file in needed
    )


def _writes_over(waste: Waste, number: int, copied: _Copied, steps: Sequence[int]) -> bool:
    """Whether one of the steps changes or removes a file that the COPY brings, which puts it back then."""
    layers = {waste.script[each].layer for each in steps}
    below = len(copied.target.rstrip("/")) + 1
    for death in waste.account.deaths:
        # What other advice is for is brought as it is in the end, or not at all.
        if death.writer != copied.layer or death.killer not in layers or place(death) in waste.claimed:
            continue
        name = "/" + waste.path(place(death)).decode("utf-8", "surrogateescape")
        is_omitted = waste.is_omitted(number, posixpath.join(copied.source, name[below:]))
        if not is_omitted and not waste.is_kept(death):
            return True
    return False


def _kept(waste: Waste, number: int) -> list[str]:
    """The flags of the COPY, with those that other advice gives to it."""
    # What it leaves out is none of what is needed.
    given = [flag for flag in waste.flags.get(number, []) if not flag.startswith("--exclude=")]
    names = {"--exclude", *(flag.partition("=")[0] for flag in given)}
    return given + [flag for flag in waste.script[number].flags if flag.partition("=")[0] not in names]


def _copies(target: str, copied: _Copied, needed: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The operands of the COPYs that bring what is needed: of all files, and of each directory."""
    files = [name for name in needed if name in copied.files]
    direct = [name for name in files if "/" not in name]
    where = target if target.endswith("/") else f"{target}/"
    if direct:
        yield (*(posixpath.join(copied.source, name) for name in direct), where)
    for name in needed:
        if name not in direct:
            yield posixpath.join(copied.source, name), where + name
