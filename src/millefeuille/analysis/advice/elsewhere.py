"""Elsewhere: whether a stage that has no layer in the image needs what lies beside a program's sources, or a
RUN that mounts the context.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence

from millefeuille.analysis.advice.beside import MADE_BY, means, roots, rows_of, text_of_row
from millefeuille.analysis.advice.installs import is_apart
from millefeuille.analysis.advice.parentage import Stage, staged
from millefeuille.analysis.advice.passing import PLAIN
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

# What has no use for modules and environments of other languages, unless it is told to.
_BUILDERS: Final = (
    r"go|cargo|rustc|mvnw?|gradlew?|sbt|javac?|dotnet|gcc|g\+\+|cc|clang|bundle|gem|ruby|composer|php|mix|swift"
    r"|curl|wget|tar|unzip|zip|sed|grep|awk"
)
_NODE: Final = r"npm|npx|yarn|pnpm|bunx?|node|corepack|tsc|vite|webpack|ng"
_PYTHON: Final = r"python[\d.]*|pip[\d.]*|poetry|uv|pipenv|pdm|hatch|pytest"
_FOREIGN: Final = {
    name: re.compile(rf"(?:{'|'.join((_BUILDERS, *others))}) ")
    for name, others in (
        *((name, (_PYTHON,)) for name in ("node_modules", "bower_components", ".next")),
        *((name, (_NODE,)) for name in (".venv", "venv", "env")),
        (".terraform", (_NODE, _PYTHON)),
    )
}
_SPECIAL: Final = re.compile(r"[*?\[$]")
_ORIGIN: Final = re.compile(r"(?:^|[=,])from=([^,]*)")
_STARTS: Final = ("ENV", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD")


def is_needed_elsewhere(waste: Waste, name: str, found: Collection[bytes], steps: Sequence[int]) -> bool:
    """Whether a step beside those that made the image needs the files `found`, which the `steps` copied from
    the context, with that name in their paths.
    """
    return _Search(waste, name, found, steps).is_needed()


class _Search:
    """`_having` has the stages that hold what was found at their ends, by the places of their FROMs."""

    def __init__(self, waste: Waste, name: str, found: Collection[bytes], steps: Sequence[int]) -> None:
        self._waste = waste
        self._name = name
        self._steps = steps
        self._places = roots(name, found)
        self._inside = _in_context(waste, self._places, steps)
        self._having: set[int] = set()
        self._stages = staged(waste.script)

    def is_needed(self) -> bool:
        """Whether one of the stages needs it."""
        return any(self._is_needed_in(stage) for stage in self._stages)

    def _is_needed_in(self, stage: Stage) -> bool:
        """Whether a stage needs it. Of what the image is made of its own layers tell more, from where it was
        copied on.
        """
        is_here, left = stage.base in self._having, len(self._places)
        for number in range(stage.begin + 1, stage.end):
            step = self._waste.script[number]
            if step.word in ("COPY", "ADD"):
                origin = self._origin(stage, step.flags)
                if origin and any(self._name in word.split("/") for word in step.operands[:-1]):
                    return True
                if origin or self._is_copied(number):
                    is_here, left = True, len(self._places)
            elif step.word == "RUN" or step.word in _STARTS:
                is_told = step.layer < 0 or number < min(self._steps)
                is_seen = (is_here and is_told) or self._is_mounted(stage, step)
                if is_seen and self._is_needed_by(step, left):
                    return True
                left -= self._made(step)
                is_here = is_here and left > 0
        if is_here:
            self._having.add(stage.begin)
        return False

    def _is_needed_by(self, step: Step, left: int) -> bool:
        """Whether a step may need it, of which so many places are not made anew."""
        for row in rows_of(step):
            text = text_of_row(row)
            if self._makes(step, text):
                left -= 1
                if left <= 0:
                    return False
                continue
            is_unknown = step.word == "RUN" and not self._is_foreign(text)
            if is_unknown or means(row, self._name, self._places, is_path=step.word == "ENV"):
                return True
        return False

    def _made(self, step: Step) -> int:
        return sum(self._makes(step, text_of_row(row)) for row in rows_of(step))

    def _makes(self, step: Step, text: str) -> bool:
        made = MADE_BY.get(self._name) if step.word == "RUN" else None
        return made is not None and made.match(text) is not None

    def _is_foreign(self, text: str) -> bool:
        """Whether a command has no use for it as long as it does not name it."""
        foreign = _FOREIGN.get(self._name)
        is_known = foreign is None or foreign.match(text) is not None
        return is_known or text.partition(" ")[0] in PLAIN or is_apart(text)

    def _origin(self, stage: Stage, flags: Sequence[str]) -> bool:
        """Whether flags take files from a stage that has what was found."""
        matches = [_ORIGIN.search(flag.removeprefix("--")) for flag in flags]
        named = {match[1].strip("\"'").lower() for match in matches if match}
        return any(
            other.begin in self._having and not {other.name, str(place)}.isdisjoint(named - {""})
            for place, other in enumerate(self._stages) if other.begin < stage.begin
        )  # fmt: skip

    def _is_copied(self, number: int) -> bool:
        """Whether a COPY may bring it from the context."""
        step = self._waste.script[number]
        if step.layer >= 0:
            return number in self._steps
        if not step.copies or any("exclude=" in flag and self._name in flag for flag in step.flags):
            return False
        return any(self._is_in(word) for word in step.operands[:-1] if "://" not in word)

    def _is_mounted(self, stage: Stage, step: Step) -> bool:
        """Whether a RUN may see it in a mount of the context, or of a stage."""
        binds = [flag for flag in step.flags if _is_bind(flag)]
        if self._origin(stage, binds):
            return True
        sources = (
            re.search(r"[=,](?:source|src)=([^,\"']*)", flag) for flag in binds if not _ORIGIN.search(flag)
        )
        return any(self._is_in(match[1] if match else ".") for match in sources)

    def _is_in(self, word: str) -> bool:
        """Whether a path of the context may have it."""
        path = posixpath.normpath(word.strip("\"'")).strip("/")
        if path in ("", ".") or _SPECIAL.search(path):
            return True
        if self._inside is None:  # what has a suffix is taken for a file
            return "." not in posixpath.basename(path)[1:]
        return any(f"{each}/".startswith(f"{path}/") or path.startswith(f"{each}/") for each in self._inside)


def _is_bind(flag: str) -> bool:
    return flag.startswith("--mount=") and ("type=bind" in flag or "type=" not in flag)


def _in_context(waste: Waste, places: Collection[str], steps: Sequence[int]) -> set[str] | None:
    """Where in the context what is at the places of the image was; None where that is not plain."""
    found: set[str] = set()
    for number in steps:
        words = waste.script[number].operands
        target = absolute(waste, number, words[-1])
        if len(words) != 2 or posixpath.normpath(words[0]) not in (".", "/") or target is None:
            return None
        found |= {place[len(target.rstrip("/")) + 1 :] for place in places if place.startswith(target)}
    return found
