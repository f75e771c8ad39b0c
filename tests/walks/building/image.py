"""What an image is: its tree and its config, read from a Docker archive.

Plain tarfile and json: nothing of the engine under test takes part in putting the layers over each other.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import posixpath
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

_KINDS: Final = {
    tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.SYMTYPE: "link", tarfile.DIRTYPE: "dir",
    tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo",
}  # fmt: skip
_XATTR: Final = "SCHILY.xattr."
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One inode. Two names of one file are one Node."""

    kind: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    data: str = ""  # a file's SHA-256, a link's target, a device's number
    size: int = 0
    text: bytes = b""  # the beginning of a file
    xattrs: dict[str, bytes] = field(default_factory=dict)


Tree = dict[str, Node]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`tree` has every path but the root's, without a leading slash; `document` is the whole config."""

    tree: Tree
    document: dict[str, Any]
    layers: int

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document.get("config") or {}
        return found

    @property
    def history(self) -> list[tuple[str, bool]]:
        """What made each layer, and whether there is none."""
        steps = self.document.get("history") or []
        return [(step.get("created_by", ""), bool(step.get("empty_layer"))) for step in steps]


def read_archive(path: Path) -> Image:
    """The one image of what `save` wrote."""
    with tarfile.open(path) as archive:

        def read(name: str) -> bytes:
            member = archive.getmember(name)
            while member.issym():
                target = posixpath.join(posixpath.dirname(member.name), member.linkname)
                member = archive.getmember(posixpath.normpath(target))
            file = archive.extractfile(member)
            assert file is not None
            return file.read()

        (entry,) = json.loads(read("manifest.json"))
        layers = [read(name) for name in entry["Layers"]]
        document = json.loads(read(entry["Config"]))
    tars = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in layers]
    return Image(tree=stacked(tars), document=document, layers=len(tars))


def stacked(tars: Iterable[bytes]) -> Tree:
    """The tree of these layers, lowest first."""
    tree: Tree = {}
    for tar in tars:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            members = [(_plain(member.name), member) for member in archive.getmembers()]
            for name, _ in members:
                _white_out(tree, name)
            for name, member in members:
                if name and not posixpath.basename(name).startswith(_WHITEOUT):
                    _put(tree, name, member, archive)
    return tree


def _plain(name: str) -> str:
    plain = posixpath.normpath("/" + name).lstrip("/")
    assert ".." not in name.split("/"), name
    return plain


def _white_out(tree: Tree, name: str) -> None:
    folder, base = posixpath.split(name)
    if base == _OPAQUE:
        _remove_below(tree, folder)
    elif base.startswith(_WHITEOUT):
        gone = posixpath.join(folder, base.removeprefix(_WHITEOUT))
        _remove_below(tree, gone)
        tree.pop(gone, None)


def _remove_below(tree: Tree, folder: str) -> None:
    for path in [path for path in tree if path.startswith(folder + "/")]:
        del tree[path]


def _put(tree: Tree, name: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
    parent = posixpath.dirname(name)
    while parent and parent not in tree:
        tree[parent] = Node(kind="dir")
        parent = posixpath.dirname(parent)
    node = tree[_plain(member.linkname)] if member.islnk() else _node(member, archive)
    if node.kind != "dir":
        _remove_below(tree, name)
    tree[name] = node


def _node(member: tarfile.TarInfo, archive: tarfile.TarFile) -> Node:
    xattrs = {
        key.removeprefix(_XATTR): value.encode("utf-8", "surrogateescape")
        for key, value in member.pax_headers.items()
        if key.startswith(_XATTR)
    }
    node = Node(
        kind=_KINDS[member.type], mode=member.mode & 0o7777, uid=member.uid, gid=member.gid,
        mtime=int(member.mtime), xattrs=xattrs,
    )  # fmt: skip
    if node.kind == "file":
        file = archive.extractfile(member)
        assert file is not None
        data = file.read()
        return replace(node, data=hashlib.sha256(data).hexdigest(), size=len(data), text=data[:200])
    if node.kind == "link":
        return replace(node, data=member.linkname, mode=0o777)
    if node.kind in ("char", "block"):
        return replace(node, data=f"{member.devmajor}:{member.devminor}")
    return node


def names(tree: Tree) -> dict[str, str]:
    """The first of all names of what each path is."""
    first: dict[int, str] = {}
    for path in sorted(tree):
        first.setdefault(id(tree[path]), path)
    return {path: first[id(node)] for path, node in tree.items()}
