"""The engine's advice: an image of the store, the build that made it, and its Dockerfile, put together."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Sequence

from millefeuille.analysis.advice.advice import Advice
from millefeuille.analysis.advice.advise import advise
from millefeuille.analysis.advice.edits import Edit
from millefeuille.analysis.advice.rewrite import Rewritten, rewrite
from millefeuille.analysis.advice.script import from_history, matched
from millefeuille.analysis.advice.step import Step, read_step
from millefeuille.analysis.advice.waste import IGNORE_FILE, ReadEntry, unread
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.annotations import Final
from millefeuille.build import journal
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.engine.contents import content
from millefeuille.errors import MilleError
from millefeuille.layers.entry import FILE
from millefeuille.store import builds
from millefeuille.store.store import Store
from millefeuille.values import dataclass

_RUN: Final = re.compile(r"RUN\s+(?:--\S+\s+)*(.*\S)\s*$", re.IGNORECASE | re.DOTALL)
_LARGEST: Final = 1 << 20  # bytes of a file that says what else is read
_ALONE: Final = re.compile(r"<<-?[\"']?\w+[\"']?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """Advice on an image, the script that it is about, and the lines of the Dockerfile, if there is one.
    `ignore_file` is where `rewritten` has lines for.
    """

    name: str
    script: tuple[Step, ...]
    source: tuple[str, ...]
    advice: tuple[Advice, ...]
    ignore_file: str = IGNORE_FILE
    escape: str = "\\"  # with which a line of the Dockerfile ends that goes on

    @property
    def size(self) -> int:
        """The bytes that `rewritten` saves."""
        return sum(one.size for one in self.advice if one.edits)

    @property
    def by_hand(self) -> int:
        """The bytes that the rest saves, of which a person must say how."""
        return sum(one.size for one in self.advice if not one.edits)

    @property
    def rewritten(self) -> Rewritten:
        """The Dockerfile with all of it followed that needs no person."""
        edits = [edit for one in self.advice for edit in one.edits]
        return rewrite(self.script, edits, self.source, self.escape)

    def difference(self, edits: Sequence[Edit]) -> str:
        """What edits change, as a patch without a head; "" for nothing."""
        before = rewrite(self.script, (), self.source, self.escape)
        after = rewrite(self.script, edits, self.source, self.escape)
        lines = difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), n=0, lineterm="")
        patch = [line for line in list(lines)[2:] if not line.startswith("@@")]
        patch += [f"+{pattern}  ({self.ignore_file})" for pattern in after.ignored]
        return "\n".join(patch)


def advised(
    image: Image, account: Ledger, lines: Sequence[int], dockerfile: Dockerfile | None,
    contents: ReadEntry = unread, ignore_file: str = IGNORE_FILE,
) -> Advised:  # fmt: skip
    """Advice on an image; `lines` has for each layer that of the Dockerfile which made it, where known, and
    `contents` gives what is in its files, see `contents_of`; `ignore_file` counts as .dockerignore.

    Raises BrokenLink.
    """
    if dockerfile is None:
        script, source = from_history(image, lines), tuple[str, ...]()
    else:
        script, source = matched(_steps(dockerfile), image, lines), dockerfile.source
    return Advised(
        name=image.name, script=script, source=source, ignore_file=ignore_file,
        advice=advise(image, account, script, contents, ignore_file),
        escape=dockerfile.escape if dockerfile is not None else "\\",
    )  # fmt: skip


def contents_of(store: Store, image: Image) -> ReadEntry:
    """What gives the contents of small files of an image; None for one that is not in the store."""

    def read(layer: int, entry: int) -> bytes | None:
        index = image.layers[layer].index
        if index.kinds[entry] != FILE or index.sizes[entry] > _LARGEST:
            return None
        try:
            return b"".join(content(store, image, layer, entry))
        except MilleError:
            return None

    return read


def lines_of(store: Store, image: Image) -> tuple[int, ...]:
    """For each layer the line that made it in the last build of the image here; empty for none of ours."""
    with store.reading() as tx:
        for record in builds.builds(tx):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                account = journal.parse(record.record)
                if account.image == str(image.config.id):
                    return _lines(account, image)
    return ()


def _lines(account: journal.Account, image: Image) -> tuple[int, ...]:
    """From the top down, since stages stand in the order in which they are built upon each other."""
    entries = sorted(account.entries, key=lambda entry: -entry.line)
    found, at = [], 0
    for part in reversed(image.parts):
        place = next((n for n in range(at, len(entries)) if entries[n].layer == str(part.diff_id)), None)
        found.append(entries[place].line if place is not None else 0)
        at = place + 1 if place is not None else at
    return tuple(reversed(found))


def _steps(dockerfile: Dockerfile) -> list[Step]:
    stages = [one for stage in dockerfile.stages for one in (stage.from_, *stage.instructions)]
    return [
        read_step(
            one.original, first=one.location.first, last=one.location.last,
            fixed=bool(getattr(one, "heredocs", ())) or "<<" in one.original.replace("<<<", ""),
            script=_script(one.original, getattr(one, "heredocs", ())),
        )
        for one in sorted((*dockerfile.global_args, *stages), key=lambda one: one.location.first)
    ]  # fmt: skip


def _script(line: str, heredocs: Sequence[Heredoc]) -> str:
    """What a RUN with here-documents gives to the shell; "" for anything else."""
    match = _RUN.match(line)
    if not heredocs or not match or "\n" in line.strip():
        return ""
    if len(heredocs) == 1 and _ALONE.fullmatch(match[1]):
        text = heredocs[0].chomped().strip("\n")
        return "" if text.startswith("#!") else text
    return match[1] + "\n" + "\n".join(f"{each.content.rstrip(chr(10))}\n{each.name}" for each in heredocs)
