"""Ignores: what lies beside a program's sources and was copied along with them."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.analysis.advice.advice import IGNORE, Advice
from millefeuille.analysis.advice.beside import is_needed, roots
from millefeuille.analysis.advice.edits import Edit, Ignore
from millefeuille.analysis.advice.elsewhere import is_needed_elsewhere
from millefeuille.analysis.advice.waste import Place, Waste
from millefeuille.annotations import Final

_NAMES: Final = (
    "node_modules", ".git", ".svn", ".hg", "__pycache__", ".venv", ".tox", ".nox", ".pytest_cache",
    ".mypy_cache", ".ruff_cache", ".cache", ".gradle", ".terraform", ".idea", ".vscode", ".DS_Store",
    ".next", ".parcel-cache", ".nyc_output", "bower_components", ".coverage",
)  # fmt: skip
# Virtual environments of Python, where they have the file that says so.
_ENVIRONMENTS: Final = ("venv", "env")
_MARK: Final = "pyvenv.cfg"


def ignores(waste: Waste) -> Iterator[Advice]:
    """Advice for each such name that a COPY or ADD took from the context without being told its name."""
    for name in (*_NAMES, *_ENVIRONMENTS):
        found: dict[bytes, list[Place]] = {}
        steps: list[int] = []
        for layer, number in waste.own.items():
            step = waste.script[number]
            if not step.copies or name in step.body:
                continue
            here = [(place, path) for place, path in waste.files(layer) if name.encode() in path.split(b"/")]
            for place, path in here:
                found.setdefault(path, []).append(place)
            steps += [number] if here else []
        if found and (name not in _ENVIRONMENTS or _are_marked(waste, name, steps)):
            needed = is_needed(waste, name, found, min(steps))
            needed = needed or is_needed_elsewhere(waste, name, found, steps)
            edits: tuple[Edit, ...] = () if needed else (Ignore(f"**/{name}"),)
            places = _with_copies(waste, found)
            size, packed, paths = waste.claim(places, is_followed=bool(edits))
            waste.give(edits)
            yield Advice(
                kind=IGNORE, steps=tuple(steps), size=size, packed=packed, paths=paths, edits=edits,
                left=() if edits else tuple(places),
                text=f"Leave {name} out of the context with {waste.ignore_file}",
            )  # fmt: skip


def _are_marked(waste: Waste, name: str, steps: list[int]) -> bool:
    """Whether all that the steps brought of that name is virtual environments."""
    parts = waste.image.parts
    paths = {path for number in steps for path in parts[waste.script[number].layer].layer.paths}
    marks = [f"{root[1:]}/{_MARK}".encode("utf-8", "surrogateescape") for root in roots(name, paths)]
    return paths.issuperset(marks)


def _with_copies(waste: Waste, found: dict[bytes, list[Place]]) -> list[Place]:
    """The files, and what later layers made of the same content under the same path."""
    every = [place for places in found.values() for place in places]
    lowest = min(place.layer for place in every)
    parts = waste.image.parts
    contents = {path: parts[p[0].layer].layer.index.content(p[0].entry) for path, p in found.items()}
    for layer in (each for each in waste.own if each > lowest):
        index = waste.image.parts[layer].layer.index
        every += [
            place for place, path in waste.files(layer)
            if path in contents and index.content(place.entry) == contents[path]
        ]  # fmt: skip
    return list(dict.fromkeys(every))
