"""Package lists: what a package manager knows of the packages there are, and who needs that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.installs import is_apart
from millefeuille.analysis.advice.mountpoints import mountpoints
from millefeuille.analysis.advice.parentage import siblings
from millefeuille.analysis.advice.passing import PLAIN
from millefeuille.analysis.advice.reach import rows, text_of
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Place, Waste
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import FILE

_OPTIONS: Final = r"\s+(?:-\S+\s+(?:[^\s-]\S*\s+)??)*"  # one may have a value
_APT: Final = rf"\b(?:apt-get|apt-cache|apt|aptitude){_OPTIONS}"
_APK: Final = rf"\bapk{_OPTIONS}"
_STARTS: Final = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD")
# What a file is run by, of which nobody sees here what it does.
_SCRIPT: Final = re.compile(
    r"(?:^|[;&|(])\s*(?:\.{0,2}/\S|\S*\.sh\b|(?:ba|da|a|z|k)?sh\s+(?!-\w*c\b)\S|(?:\.|source)\s)",
    re.MULTILINE,
)
_MANAGERS: Final = re.compile(r"(?:apt-get|apt|aptitude|apk) ")
_REMOVING: Final = re.compile(r"\S+ (?:-\S+ )*(?:autoremove|remove|purge|clean|autoclean|del) ")
_LOCAL: Final = frozenset(("dpkg", "dpkg-reconfigure", "dpkg-divert", "apt-mark"))


class PackageList(NamedTuple):
    """The lists of a package manager: the command that fetches them, who does that or needs them by the words
    of a command, and the file that tells what is installed.
    """

    fetch: str
    fetched: re.Pattern[str]
    needed: re.Pattern[str]
    installed: bytes

    def is_fetched(self, step: Step) -> bool:
        """Whether a step says that it fetches them."""
        return self.fetched.search(_text(step)) is not None

    def is_needed(self, step: Step) -> bool:
        """Whether a step says that it installs something, or asks for what there is."""
        return self.needed.search(_text(step)) is not None


def _text(step: Step) -> str:
    return text_of(step) if step.word == "RUN" else " ".join(step.operands)


LISTS: Final = {
    "var/lib/apt/lists": PackageList(
        "apt-get update", re.compile(rf"{_APT}update\b"),
        re.compile(
            rf"{_APT}(?:(?:re)?install|upgrade|(?:dist|full|dselect)-upgrade|build-dep|satisfy|source|download"
            r"|changelog|show(?:src|pkg)?|search|list|policy|madison|r?depends)\b"
        ),
        b"var/lib/dpkg/status",
    ),
    "var/cache/apk": PackageList(
        "apk update", re.compile(rf"{_APK}(?:update\b|.*(?:--no-cache|-U|--update)\b)"),
        re.compile(rf"{_APK}(?:add|upgrade)\b"), b"lib/apk/db/installed",
    ),
}  # fmt: skip
"""By the directory that holds them."""


def are_missed(waste: Waste, path: str, found: Sequence[Place]) -> bool:
    """Whether somebody needs the lists `found` at `path` in the image, and cannot be told to fetch them: a
    stage beside it, what stands on the image, or a program that installs something without a word of that.
    """
    lists = LISTS.get(path)
    if lists is None:
        return False
    first = min(waste.own[place.layer] for place in found)
    starts = [step for step in waste.script if step.word in _STARTS]
    beside = [
        waste.script[n] for n in siblings(waste, first)
        if waste.script[n].word == "RUN" and not _has_mount(waste, n, path)
    ]  # fmt: skip
    return (
        any(lists.is_needed(step) and not lists.is_fetched(step) for step in (*starts, *beside))
        or any(_SCRIPT.search(text_of(step)) and not lists.is_fetched(step) for step in beside)
        or any(_installs(waste, n, path, lists) for n in _seeing(waste, found))
    )


def _seeing(waste: Waste, found: Sequence[Place]) -> Iterator[int]:
    """The steps of the image that find some of the lists there."""
    killers = {Place(death.writer, death.entry): death.killer for death in waste.account.deaths}
    for layer, number in waste.own.items():
        if any(place.layer < layer <= killers.get(place, layer) for place in found):
            yield number


def _installs(waste: Waste, number: int, path: str, lists: PackageList) -> bool:
    """Whether a RUN installed something with the lists that it found, and no word of it says so."""
    step, layer = waste.script[number], waste.image.parts[waste.script[number].layer].layer
    if step.word != "RUN" or lists.installed not in layer.written or _has_mount(waste, number, path):
        return False
    if lists.is_needed(step) or lists.is_fetched(step):
        return False
    below = path.encode() + b"/"
    is_writing = any(each.startswith(below) and layer.kinds[n] == FILE for each, n in layer.written.items())
    return not is_writing and not all(map(_is_known, rows(text_of(step))))


def _is_known(row: Sequence[str]) -> bool:
    """Whether a command installs nothing that it has to fetch."""
    text = " ".join((*row, ""))
    if _MANAGERS.match(text):
        return _REMOVING.match(text) is not None
    return row[0] in PLAIN or row[0] in _LOCAL or is_apart(text)


def _has_mount(waste: Waste, number: int, path: str) -> bool:
    return f"/{path}" in (mountpoints(waste, number, waste.script[number].flags) or ())
