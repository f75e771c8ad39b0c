"""Copying: the commands of a RUN that do what a COPY does, with what is mounted for them."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence

from millefeuille.analysis.advice.surroundings import absolute, user
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, SYMLINK

PATTERN: Final = re.compile(r"[*?]")
_READ: Final = (0o004, 0o005)  # what others need for a file, and for a directory
_OTHERS: Final = 0o022  # what a usual umask takes away


class Copying:
    """One COPY, with the flags that its commands have to follow. Its layer tells what came of it."""

    def __init__(self, waste: Waste, number: int, flags: Mapping[str, str]) -> None:
        self._waste = waste
        self._number = number
        self._flags = flags
        layer = waste.script[number].layer
        self._layer = waste.image.parts[layer].layer
        self._below = waste.image.parts[:layer]
        self._changes = waste.account.changes[layer]
        self._from_stage = "--from" in flags
        self._tool = "cp -a" if self._from_stage else "cp -RP"

    def commands(self, sources: Sequence[str], places: Sequence[str]) -> str:
        """For the sources of the COPY, which are mounted at these places; "" where it is not plain what
        became of which.
        """
        words = self._waste.script[self._number].operands
        target = absolute(self._waste, self._number, words[-1])
        files = {
            "/" + path.decode("utf-8", "surrogateescape") for path, entry in self._layer.written.items()
            if self._layer.kinds[entry] != DIRECTORY
        }  # fmt: skip
        word = words[-1].rstrip("/") or "/"
        if target is not None and files == {target} and len(sources) == 1:
            command = f"{self._tool if self._from_stage else 'cp'} {places[0]} {_quoted(word)}"
            return self._whole(command, posixpath.dirname(target), word, alone=True)
        if target is None or not all(file.startswith(target.rstrip("/") + "/") for file in files):
            return ""
        names = {file[len(target.rstrip("/")) + 1 :] for file in files}
        # Nothing tells whether others may search the directories of a source.
        is_file = len(sources) == 1 and {posixpath.basename(sources[0].rstrip("/"))} == names
        if user(self._waste, self._number) and not is_file:
            return ""
        rows = [self._one(source, at, word, names) for source, at in zip(sources, places, strict=True)]
        is_plain = all(command for command, _ in rows) and set().union(*(named for _, named in rows)) == names
        return self._whole(" && ".join(row[0] for row in rows), target, word, alone=False) if is_plain else ""

    def _one(self, source: str, at: str, word: str, names: set[str]) -> tuple[str, set[str]]:
        """The command for a source among several or of a directory, "" for none, and the names that it may
        have made of all that there are.
        """
        name = posixpath.basename(source.rstrip("/"))
        if PATTERN.search(source):
            # What a pattern of the shell leaves out: hidden files. And it may find directories.
            is_plain = not any("/" in each or each[0] == "." for each in names)
            return (f"{self._tool} {at} {_quoted(word)}/" if is_plain else ""), names
        if name in names and name != ".":
            return f"{self._tool} {at} {_quoted(posixpath.join(word, name))}", {name}
        if not self._from_stage:
            return f"{self._tool} {at}/. {_quoted(word)}", names
        # A directory as a whole would give its owner and mode to where it goes.
        has_hidden = any(each[0] == "." for each in names)
        return ("" if has_hidden else f"{self._tool} {at}/* {_quoted(word)}/"), names

    def _whole(self, commands: str, directory: str, word: str, *, alone: bool) -> str:
        """With the directory made that they need, modes kept that a umask would change, and what the flags
        ask for. `alone` for one file, of which `word` is the name.
        """
        path = directory.strip("/").encode("utf-8", "surrogateescape")
        missing = self._missing(path)
        given = {flag[2:]: self._flags[flag] for flag in ("--chown", "--chmod") if flag in self._flags}
        name = user(self._waste, self._number)
        if name:  # who copies what is his own afterwards
            is_his = given.pop("chown", "") in (name, f"{name}:{name}")
            may = self._may_write(path) and self._may_read()
            if not is_his or self._from_stage or not may:
                return ""
        if given and not missing and not alone:
            return ""  # the flags are for directories that are made, too, not for those that are there
        if name and missing and "chmod" in given:
            return ""  # who may not search a directory any more can do nothing below it
        if not self._from_stage and self._is_open():
            commands = f"(umask 0 && {commands})"
        made = posixpath.dirname(word) if alone else word
        top = _plain(missing) if missing and (alone or missing != path) else _quoted(word)
        deep = "-R " if missing else ""
        ends = [f"{tool} {deep}{value} {top}" for tool, value in given.items()]
        return " && ".join([*([f"mkdir -p {_quoted(made)}"] if missing else []), commands, *ends])

    def _missing(self, path: bytes) -> bytes:
        """The top-most directory on the way to `path`, or itself, that the COPY makes; b"" for none."""
        found = b""
        while path and not self._is_there(path):
            found, path = path, path.rpartition(b"/")[0]
        return found

    def _is_there(self, path: bytes) -> bool:
        """Whether the layers below show the path."""
        way = [path]
        while b"/" in way[-1]:
            way.append(way[-1].rpartition(b"/")[0])
        for part in reversed(self._below):
            if path in part.layer.written or part.layer.makes(path):
                return True
            if not part.layer.cuts.isdisjoint(way):
                return False
        return False

    def _may_write(self, path: bytes) -> bool:
        """Whether the directory, or what it is to be made in, is of the owner that the COPY gave."""
        owners = {self._layer.index.uids[n] for n in self._layer.written.values() if n not in self._changes}
        while path:
            for part in reversed(self._below):
                entry = part.layer.written.get(path)
                if entry is not None:
                    return owners == {part.layer.index.uids[entry]}
            path = path.rpartition(b"/")[0]
        return False

    def _may_read(self) -> bool:
        """Whether everybody may read what is copied: it is root's where it is mounted."""
        if "--chmod" in self._flags:
            return False  # of which modes before that, nothing tells
        rows = enumerate(zip(self._layer.kinds, self._layer.index.modes, strict=True))
        return all(
            kind == SYMLINK or mode & _READ[kind == DIRECTORY] == _READ[kind == DIRECTORY]
            for n, (kind, mode) in rows if kind != DIRECTORY or n not in self._changes
        )  # fmt: skip

    def _is_open(self) -> bool:
        """Whether the COPY made something with a mode that a usual umask does not allow."""
        rows = enumerate(zip(self._layer.kinds, self._layer.index.modes, strict=True))
        return any(
            mode & _OTHERS for n, (kind, mode) in rows if kind != SYMLINK and n not in self._changes
        )  # fmt: skip


def _plain(path: bytes) -> str:
    return shlex.quote("/" + path.decode("utf-8", "surrogateescape"))


def _quoted(word: str) -> str:
    return f'"{word}"' if "$" in word else word
