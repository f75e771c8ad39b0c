"""Copying: the rules of `docker cp`, on what is copied where and under which name.

                         the destination is    a directory        a file       not there
    a file                                     into it            replaces it  becomes it; its parent must be
    a directory                                into it            refused      becomes it; its parent must be
    the content of a directory (`SRC/.`)       merged into it     refused      becomes it; its parent must be

Source: docker cp, reference; moby, pkg/archive/copy.go and daemon/archive_unix.go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.containers.paths import Root, asserts_directory, is_missing, parts
from millefeuille.containers.placing import (
    IN_CONTAINER,
    CopyFailed,
    OverwriteRefused,
    Owner,
    PlaceTaken,
    Placing,
    kept,
    mine,
)
from millefeuille.containers.source import CONTENT, Source, on_disk
from millefeuille.errors import Conflict, Invalid, NotFound
from millefeuille.layers.carried import TarOutput, tar_size
from millefeuille.layers.entry import HARDLINK
from millefeuille.layers.following import TooManyLinks, cleaned
from millefeuille.layers.tarheader import Metadata
from millefeuille.values import dataclass

_END: Final = 1024  # bytes that end a tar


class NoSuchPath(NotFound):
    """Nothing is at a path."""


class NotADirectory(Invalid):
    """What files are to be put into is no directory, or is none that they can be put into."""


class CannotCopy(Conflict):
    """A directory would take the place of a file."""


class NoSuchDirectory(NotFound):
    """The destination is written as a directory's, and there is none."""


class BadDestination(Invalid):
    """The destination is no place to copy to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStatus:
    """What is at a path: `mode` with type bits; `link` where a symlink leads to, as a path from the root."""

    name: str
    size: int
    mode: int
    mtime_ns: int
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a copy goes: the directory, and what its top is called there, "" to merge its content."""

    directory: bytes
    top: bytes


def name_of(text: bytes, full: bytes = b"") -> bytes:
    """What a copy of the path `text` is called; `full` is the same path made absolute."""
    if text == b"." or text.endswith(b"/."):
        return CONTENT
    return parts(full or text)[1] or CONTENT


def look(root: int, called: str, path: str) -> PathStatus:
    """What is at `path` in the container `called`, whose root is `root`. Raises NoSuchPath, TooManyLinks."""
    tree, text = Root(root), os.fsencode(path)
    plain = cleaned(text)
    try:
        place, status = _placed(tree, plain, leaf=asserts_directory(text))
    except OSError as error:
        raise _unfound(error, path, called) from error
    os.close(place)
    if asserts_directory(text) and not stat.S_ISDIR(status.st_mode):
        raise _missing(path, called)
    link = b"/" + tree.canonical(plain) if stat.S_ISLNK(status.st_mode) else b""
    name = b"." if text.endswith(b"/.") else parts(text)[1] or b"/"
    return PathStatus(
        name=os.fsdecode(name), size=status.st_size, mode=status.st_mode, mtime_ns=status.st_mtime_ns,
        link=os.fsdecode(link),
    )  # fmt: skip


def from_container(
    root: int, called: str, path: str, *, follow: bool = False, own_name: bool = True
) -> Source:
    """What is at `path` in the container, the target of a link that it ends with only when `follow`; the
    caller closes it.

    Its name is the link's, or, not its `own_name`, the target's, as Docker's client has it in an archive.
    Raises NoSuchPath, Uncopyable, TooManyLinks.
    """
    if follow and not own_name:
        path = resolved(root, called, path)
    tree, text = Root(root), os.fsencode(path)
    try:
        place, status = _placed(tree, cleaned(text), leaf=follow or asserts_directory(text))
    except OSError as error:
        # Who follows a link is told where it leads to.
        raise _unfound(error, resolved(root, called, path) if follow else path, called) from error
    if asserts_directory(text) and not stat.S_ISDIR(status.st_mode):
        os.close(place)
        raise _missing(path, called)
    return on_disk(place, name_of(text), f"{called}:{path}", whole=not cleaned(text))


def from_host(path: str, *, follow: bool = False) -> Source:
    """What is at `path` on this host; the caller closes it. Raises NoSuchPath, NotADirectory, Uncopyable."""
    text = os.fsencode(path)
    full = os.path.abspath(text)
    try:
        if follow or asserts_directory(text):
            found = os.path.realpath(full, strict=True)
        else:
            found = os.path.join(os.path.realpath(os.path.dirname(full), strict=True), os.path.basename(full))
        place = os.open(found, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        missing, reason = os.fsdecode(error.filename), (error.strerror or "").lower()
        raise NoSuchPath(f"lstat {missing}: {reason}") from error
    if asserts_directory(text) and not stat.S_ISDIR(os.fstat(place).st_mode):
        os.close(place)
        raise NotADirectory("not a directory")
    return on_disk(place, name_of(text, full), path)


def to_archive(source: Source, write: Callable[[bytes | memoryview], object]) -> None:
    """Write a tar of `source`, its top called by its name. Raises what reading it and `write` raise."""
    output = TarOutput(write)
    for entry, runs in source.files:
        output.add(_renamed(entry, source.name), runs)
    output.finish()


def to_host(source: Source, path: str) -> int:
    """Copy to `path` on this host, for whoever runs this; how many bytes a tar of it has.

    The files come from somebody else: no link among them, or put there meanwhile, leads anywhere.
    Raises NoSuchPath, NotADirectory, NoSuchDirectory, CannotCopy, OverwriteRefused, PlaceTaken, CopyFailed,
    and what reading raises.
    """
    text = os.fsencode(path)
    full = os.path.abspath(text)
    _check_output(full, text)
    exists, target = os.path.lexists(full), full
    if os.path.islink(full):
        target = os.path.realpath(full)
        exists = os.path.exists(full)
    directory, name = os.path.split(target)
    spot = _spot(source, exists, os.path.isdir(target), target, directory, name, text)
    try:
        root = os.open(spot.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise NoSuchPath(f"{os.fsdecode(spot.directory)}: {(error.strerror or '').lower()}") from error
    try:
        with Placing(Root(root, links=False), b"", owner=mine, shown=os.fsdecode(spot.directory)) as placing:
            return _put(source, placing, spot.top)
    finally:
        os.close(root)


def to_container(source: Source, root: int, called: str, path: str, *, owner: Owner = kept) -> int:
    """Copy to `path` in the container; how many bytes a tar of it has.

    Raises NoSuchPath, NotADirectory, NoSuchDirectory, BadDestination, CannotCopy, OverwriteRefused,
    PlaceTaken, CopyFailed, and what reading raises.
    """
    tree = Root(root)
    target, status = _destination(tree, called, path)
    exists = status is not None
    is_directory = status is not None and stat.S_ISDIR(status.st_mode)
    directory, name = parts(target)
    spot = _spot(source, exists, is_directory, target, directory, name, os.fsencode(path))
    return _fill(source, tree, called, spot, owner)


def resolved(root: int, called: str, path: str) -> str:
    """The destination as Docker names it: `path`, or where it leads to when it is a symlink."""
    tree, text = Root(root), os.fsencode(path)
    try:
        if not asserts_directory(text) and stat.S_ISLNK(tree.status(cleaned(text), leaf=False).st_mode):
            return os.fsdecode(b"/" + tree.canonical(cleaned(text)))
    except OSError:
        pass
    return path


def preserved(path: str) -> str:
    """A path of this host made absolute, with the `/` or `/.` at its end that says something."""
    ending = "/." if path == "." or path.endswith("/.") else "/" if path.endswith("/") else ""
    full = os.path.abspath(path)
    return full if full == "/" else full + ending


def check_directory(root: int, called: str, path: str) -> None:
    """Raise BadDestination unless `path` in the container is a directory, or a link to one; "" is none."""
    try:
        mode = Root(root).status(cleaned(os.fsencode(path))).st_mode
    except OSError:
        mode = 0
    if not path or not stat.S_ISDIR(mode):
        raise BadDestination(f'destination "{called}:{path}" must be a directory')


def into_directory(
    source: Source, root: int, called: str, path: str, *, owner: Owner = kept, replace: bool = False
) -> int:
    """Put all that `source` has into the directory `path`, its top under its own name; as `to_container`.

    With `replace` a directory and something else may take each other's place.
    """
    tree = Root(root)
    target = tree.canonical(cleaned(os.fsencode(path)))
    return _fill(source, tree, called, _Spot(directory=target, top=source.name), owner, replace=replace)


def _placed(tree: Root, path: bytes, *, leaf: bool) -> tuple[int, os.stat_result]:
    """A descriptor (O_PATH) of what is at `path`, the caller's to close, and what that is.

    Raises OSError, also for a link that leads somewhere for the container's own processes only: /proc/self.
    """
    place = tree.place(path, leaf=leaf)
    try:
        status = os.fstat(place)
        if stat.S_ISLNK(status.st_mode):
            os.readlink(b"", dir_fd=place)
    except BaseException:
        os.close(place)
        raise
    return place, status


def _fill(
    source: Source, tree: Root, called: str, spot: _Spot, owner: Owner, *, replace: bool = False
) -> int:
    shown = os.fsdecode(b"/" + spot.directory)
    try:
        status = tree.status(spot.directory)
    except OSError as error:
        raise _unfound(error, shown, called) from error
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectory("extraction point is not a directory")
    try:
        with Placing(tree, spot.directory, owner=owner, shown=shown, replace=replace) as placing:
            return _put(source, placing, spot.top)
    except (OverwriteRefused, PlaceTaken) as error:
        raise type(error)(f"{IN_CONTAINER}{error}") from error


def _put(source: Source, placing: Placing, top: bytes) -> int:
    size = _END
    for entry, runs in source.files:
        size += tar_size(_renamed(entry, source.name))
        placing.put(_renamed(entry, b"" if top == CONTENT else top), runs)
    return size


def _destination(tree: Root, called: str, path: str) -> tuple[bytes, os.stat_result | None]:
    """The path that `path` leads to, and what is there; nothing is at the empty one, as Docker has it."""
    text = os.fsencode(path)
    if not text:
        return b"", None
    try:
        target = tree.canonical(cleaned(text))
    except TooManyLinks:  # a link that leads nowhere is a name that can be taken
        return tree.canonical(cleaned(text), leaf=False), None
    try:
        status = tree.status(target, leaf=False)
    except OSError as error:
        if not is_missing(error):
            raise CopyFailed(f"{called}:{path}: {(error.strerror or '').lower()}") from error
        return target, None
    if not stat.S_ISDIR(status.st_mode):
        if asserts_directory(text):
            return target, None
        if _is_device(status.st_mode):
            raise BadDestination(
                f'destination "{called}:{path}" must be a directory or a regular file: got a device'
            )
    return target, status


def _check_output(full: bytes, text: bytes) -> None:
    """What Docker's client objects to in a destination on the host."""
    shown, parent = os.fsdecode(full), os.path.dirname(full)
    if not os.path.exists(parent):
        raise NoSuchPath(f'invalid output path: directory "{os.fsdecode(parent)}" does not exist')
    try:
        mode = os.stat(full).st_mode
    except FileNotFoundError as error:
        if text.endswith(b"/."):
            raise NoSuchPath(f"stat {shown}: no such file or directory") from error
        return
    except OSError as error:
        raise NotADirectory(f"stat {shown}: {(error.strerror or '').lower()}") from error
    if asserts_directory(text) and not stat.S_ISDIR(mode):
        raise NotADirectory(f"stat {os.fsdecode(full + b'/')}: not a directory")
    if _is_device(mode):
        raise NotADirectory(
            f'invalid output path: "{shown}" must be a directory or a regular file: got a device'
        )


def _spot(
    source: Source, exists: bool, is_directory: bool, target: bytes, directory: bytes, name: bytes,
    text: bytes,
) -> _Spot:  # fmt: skip
    if exists and is_directory:
        return _Spot(directory=target, top=source.name)
    if exists and source.directory:
        raise CannotCopy("cannot copy directory")
    if not exists and not source.directory and (asserts_directory(text) or not text):
        raise NoSuchDirectory("no such directory")
    return _Spot(directory=directory, top=name)


def _renamed(entry: Metadata, top: bytes) -> Metadata:
    """The entry with `top` before its path, and before the path that it names as a hard link."""
    path = b"/".join(part for part in (top, entry.path) if part)
    if entry.kind != HARDLINK:
        return entry._replace(path=path)
    return entry._replace(path=path, link=b"/".join(part for part in (top, entry.link) if part))


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _unfound(error: OSError, path: str, called: str) -> NotFound | CopyFailed:
    if is_missing(error):
        return _missing(path, called)
    return CopyFailed(f"{called}:{path}: {(error.strerror or '').lower()}")


def _missing(path: str, called: str) -> NoSuchPath:
    return NoSuchPath(f"Could not find the file {path} in container {called}")
