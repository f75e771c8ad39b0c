"""Bearing: whether commands can do with a mount what they do with files of the image.

A mount can be written into when it is `rw`. But it cannot be renamed, removed or replaced as a whole, and no
hard link leads from it to what is outside. What commands say is looked at word by word, and in doubt the
answer is no.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from millefeuille.analysis.advice import shell
from millefeuille.annotations import Final

_ENDS: Final = re.compile(r"[;&|\n()`]+|(?<=\s)[{}](?=\s)")
_VARIABLE: Final = re.compile(r"\$\w+|\$?\{[^}]*\}")
_REMOVING: Final = frozenset(("mv", "rename", "rm", "rmdir", "unlink", "shred", "dos2unix", "unix2dos"))
_PACKING: Final = frozenset(
    ("gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "lzma", "unlzma", "compress", "uncompress")
)
_KEEPING: Final = re.compile(r"-[a-zA-Z0-9]*[ckt][a-zA-Z0-9]*|--(?:std|to-std)out|--keep|--test")
_EDITING: Final = re.compile(r"-[a-zA-Z]*i.*|--in-place.*")


def bears(text: str, targets: Collection[str]) -> bool:
    """Whether the commands of `text`, of a RUN say, can do what they do when there are mounts at `targets`,
    paths from the root on.
    """
    rows = [_words(piece) for piece in _ENDS.split(text.replace("\\\n", " "))]
    return not any(_links(row) or (_replaces(row) and _names(row, targets)) for row in rows)


def _words(piece: str) -> Sequence[str]:
    return shell.words(piece) or piece.split()


def _links(row: Sequence[str]) -> bool:
    """Whether a command makes hard links."""
    tools = set(map(posixpath.basename, row))
    short = "".join(word[1:] for word in row if re.fullmatch(r"-[a-zA-Z]+", word))
    if "ln" in tools:
        return "s" not in short and "--symbolic" not in row
    return "link" in row or ("cp" in tools and ("l" in short or "--link" in row))


def _replaces(row: Sequence[str]) -> bool:
    """Whether a command removes files, renames them, or puts others in their place."""
    tools = set(map(posixpath.basename, row))
    if tools & _PACKING:
        return not any(map(_KEEPING.fullmatch, row))
    if tools & {"sed", "perl"}:
        return any(map(_EDITING.fullmatch, row))
    return bool(tools & _REMOVING) or ("zstd" in tools and "--rm" in row) or "-delete" in row


def _names(row: Sequence[str], targets: Collection[str]) -> bool:
    """Whether a word may mean one of the targets. Where a command is run is not known."""
    return "-delete" in row or "xargs" in row or any(_is(word, target) for word in row for target in targets)


def _is(word: str, target: str) -> bool:
    parts = [part for part in _VARIABLE.sub("*", word).split("/") if part not in ("", ".", "..")]
    places = target.strip("/").split("/")
    if word.startswith("/"):
        return len(parts) == len(places) and all(map(fnmatchcase, places, parts))
    if word.startswith("$"):  # any number of directories
        parts = parts[1:]
    elif not parts:
        return False
    return len(parts) <= len(places) and all(map(fnmatchcase, places[len(places) - len(parts) :], parts))
