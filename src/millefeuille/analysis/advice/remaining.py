"""Remaining: which directories of the image are still there when the advice so far is followed."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.advice.waste import Waste


def still_there(waste: Waste, layer: int, paths: Sequence[bytes]) -> list[bytes] | None:
    """Those of the directories that are there in front of the step which made a layer; None where that is not
    sure of one of them.
    """
    found = []
    for path in paths:
        is_there = _is_there(waste, layer, path)
        if is_there is None:
            return None
        found += [path] if is_there else []
    return found


def _is_there(waste: Waste, layer: int, path: bytes) -> bool | None:
    if not _is_ignored(waste, path):
        return None if _may_be_mounted(waste, path) else True
    copies = [n in waste.own and waste.step(n).copies for n in range(layer) if _has(waste, n, path)]
    if not all(copies[:1]):
        return True  # what is not from the context made it
    return False if all(copies) else None


def _has(waste: Waste, layer: int, path: bytes) -> bool:
    part = waste.image.parts[layer].layer
    return path in part.written or part.makes(path)


def _is_ignored(waste: Waste, path: bytes) -> bool:
    names = path.decode("utf-8", "surrogateescape").split("/")
    return not waste.ignored.isdisjoint(f"**/{name}" for name in names)


def _may_be_mounted(waste: Waste, path: bytes) -> bool:
    """Whether a RUN that gets a mount there may have made a directory, which is not in its layer then."""
    text = "/" + path.decode("utf-8", "surrogateescape")
    for number, targets in waste.mounted.items():
        if any(f"{text}/".startswith(f"{target}/") for target in targets):
            return True
        if any(target.startswith(f"{text}/") for target in targets):
            below = range(max(0, waste.script[number].layer))
            if not any(_has(waste, n, path) for n in below):
                return True
    return False
