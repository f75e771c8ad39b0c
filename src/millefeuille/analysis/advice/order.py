"""Order: instructions that change with every commit, in front of work that does not depend on them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import ORDER, Advice, Trigger
from millefeuille.analysis.advice.edits import Edit, Insert, Move
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import FILE

_ALONE: Final = re.compile(
    r"(?:^|[\s;&|])(?:(?:apt-get|apt|microdnf|dnf|yum)\s+(?:-\S+\s+)*(?:update|install)|apk\s+(?:\S+\s+)*add)\b"
)
# A command, and the files of the context that it reads; the first of them has to be there.
_READING: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = (
    (re.compile(r"\bnpm\s+(?:ci|i|install)\b"), ("package.json", "package-lock.json", ".npmrc")),
    (re.compile(r"\byarn(?:\s+install)?\b"), ("package.json", "yarn.lock", ".yarnrc")),
    (re.compile(r"\bpnpm\s+(?:i|install)\b"), ("package.json", "pnpm-lock.yaml", ".npmrc")),
    (re.compile(r"\bgo\s+mod\s+download\b"), ("go.mod", "go.sum")),
    (re.compile(r"\bbundle\s+install\b"), ("Gemfile", "Gemfile.lock")),
    (re.compile(r"\bcomposer\s+install\b"), ("composer.json", "composer.lock")),
    (re.compile(r"\bpoetry\s+install\b.*--no-root"), ("pyproject.toml", "poetry.lock")),
    (re.compile(r"\bcargo\s+fetch\b"), ("Cargo.toml", "Cargo.lock")),
)  # fmt: skip
_PIP: Final = re.compile(r"\bpip3?\s+install\s+(?:\S+\s+)*?(?:-r\s*|--requirement[ =])([\w.-]+)")
_CHANGING: Final = re.compile(r"SHA|COMMIT|REVISION|BUILD|DATE|TIME|VERSION|GIT|TAG", re.IGNORECASE)


def order(waste: Waste) -> Iterator[Advice]:
    """Advice for COPYs of a whole context in front of installations, and for ARGs in front of RUNs that do
    not read them.
    """
    for number, step in enumerate(waste.script):
        if step.copies and step.layer >= 0 and not step.fixed and len(step.operands) == 2:
            yield from _copy(waste, number)
        elif step.word == "ARG" and not step.fixed:
            yield from _argument(waste, number)


def _copy(waste: Waste, number: int) -> Iterator[Advice]:
    step = waste.script[number]
    layer = waste.image.parts[step.layer].layer
    names = {path for path, kind in zip(layer.paths, layer.kinds, strict=True) if kind == FILE}
    if len(names) < 2:
        return
    passed, needed = [], list[str]()
    for later in range(number + 1, len(waste.script)):
        run = waste.script[later]
        if run.word in ("LABEL", "EXPOSE", "ENV", "ARG", "#"):
            continue
        reads = _reads(run, names) if run.word == "RUN" and run.layer >= 0 else None
        if reads is None:
            break
        needed += [name for name in reads if name not in needed]
        passed.append(later)
    other = sorted(name for name in names if name.rpartition(b"/")[2].decode(errors="replace") not in needed)
    if not passed or not other or (needed and step.operands[0] not in (".", "./")):
        return
    target = step.operands[1]
    edits: list[Edit] = []
    if needed:
        where = target if target.endswith("/") else f"{target}/"
        edits.append(Insert(number, " ".join(("COPY", *step.flags, *needed, where))))
    edits.append(Move(number, passed[-1]))
    yield Advice(
        kind=ORDER, steps=(number, *passed), edits=tuple(edits), rebuilt=_rebuilt(waste, passed),
        trigger=Trigger("file", _source(step, names, other[0])), paths=tuple(other[:1]),
        text="Install before the sources are copied: a change of a source file then leaves it in the cache",
    )  # fmt: skip


def _reads(run: Step, names: set[bytes]) -> list[str] | None:
    """The files of the context that a RUN reads; None where it may read any."""
    parts = [part.strip() for part in re.split(r"&&|;|\n", run.body) if part.strip()]
    found: list[str] = []
    for part in parts:
        if _ALONE.search(part) or re.match(r"(?:rm\s+-rf?|mkdir\s+-p)\s+/(?:var|tmp|usr)\b", part):
            continue
        files = next((known for pattern, known in _READING if pattern.search(part)), None)
        if match := _PIP.search(part):
            files = (match[1],)
        if files is None or not _there(files[0], names):
            return None
        found += [name for name in files if _there(name, names)]
    return found if parts else None


def _there(name: str, names: set[bytes]) -> bool:
    # In the directory that was copied, so less deep than any other of that name.
    return any(path.rpartition(b"/")[2] == name.encode() for path in names)


def _source(step: Step, names: set[bytes], path: bytes) -> str:
    """The path in the context of a file in the image."""
    source, shared = step.operands[0].strip("/").removeprefix("./"), _shared(names)
    below = path[len(shared) :].decode("utf-8", "surrogateescape")
    return below if source in ("", ".") else f"{source}/{below}"


def _shared(names: set[bytes]) -> bytes:
    """The directory that all of them lie in, with its slash."""
    heads = [name.split(b"/")[:-1] for name in names]
    same = []
    for parts in zip(*heads, strict=False):
        if len(set(parts)) > 1:
            break
        same.append(parts[0])
    return b"/".join(same) + b"/" if same else b""


def _argument(waste: Waste, number: int) -> Iterator[Advice]:
    step = waste.script[number]
    name = step.body.partition("=")[0].strip()
    if not _CHANGING.search(name) or " " in step.body.strip():
        return
    uses = re.compile(rf"\$\{{?{re.escape(name)}\b")
    passed, last = [], number
    for later in range(number + 1, len(waste.script)):
        other = waste.script[later]
        if uses.search(other.text) or other.word == "FROM" or other.fixed:
            break
        last = later
        if other.word == "RUN" and other.layer >= 0:
            passed.append(later)
    if passed:
        yield Advice(
            kind=ORDER, steps=(number, *passed), edits=(Move(number, last),), rebuilt=_rebuilt(waste, passed),
            trigger=Trigger("argument", name),
            text=f"Declare ARG {name} behind what does not read it: all RUNs below are made again with it",
        )  # fmt: skip


def _rebuilt(waste: Waste, steps: list[int]) -> int:
    layers = [waste.script[number].layer for number in steps]
    return sum(waste.account.layers[layer].stored for layer in layers if layer >= 0)
