"""Random stacks of layers: every kind of change, small names that meet often, and names that sort oddly."""

from __future__ import annotations

import io
import random
import tarfile

from millefeuille.analysis.layer import Layer
from millefeuille.errors import Invalid
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import TarParser
from millefeuille.layers.tree import Merger, Node

_NAMES = ("a", "b", "c", "d", "-x", ".h", "z.txt", "lib")
_MODES = (0o644, 0o755, 0o600)


def stack(seed: int, *, deepest: int = 3) -> list[bytes]:
    """The tars of a random image's layers, lowest first; each one is a layer that this engine takes."""
    chance = random.Random(seed)
    merger = Merger()
    tars: list[bytes] = []
    for _ in range(chance.randint(1, 6)):
        for _attempt in range(50):
            entries = _entries(chance, merger.root, chance.randint(0, 14), deepest)
            if _passes_links(entries):
                continue
            tar = _tar(entries)
            try:
                index = parsed(tar).index
                copy = Merger()
                for earlier in tars:
                    copy.add(parsed(earlier).index)
                copy.add(index)
            except Invalid:
                continue
            merger = copy
            tars.append(tar)
            break
    return tars


def parsed(tar: bytes, *, consumed: int | None = None) -> Layer:
    """A layer's index, as if `consumed` compressed bytes had given the tar."""
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(tar, len(tar) if consumed is None else consumed)
    parser.finish()
    return Layer(LayerIndex(builder.finish()))


def _entries(
    chance: random.Random, root: Node, count: int, deepest: int
) -> list[tuple[tarfile.TarInfo, bytes]]:
    known = [path for path, node in _walk("", root)]
    files = [path for path, node in _walk("", root) if node.children is None]
    made: list[tuple[tarfile.TarInfo, bytes]] = []
    for _ in range(count):
        if known and chance.random() < 0.5:
            path = chance.choice(known)
        else:
            path = "/".join(chance.choice(_NAMES) for _ in range(chance.randint(1, deepest)))
        kind = chance.choices(
            ("file", "directory", "symlink", "hardlink", "whiteout", "opaque"), (10, 4, 2, 2, 5, 1)
        )[0]
        made.append(_entry(chance, path, kind, files))
        if kind in ("file", "hardlink"):
            files.append(path)
        known.append(path)
    return made


def _entry(chance: random.Random, path: str, kind: str, files: list[str]) -> tuple[tarfile.TarInfo, bytes]:
    parent, _, leaf = path.rpartition("/")
    prefix = f"{parent}/" if parent else ""
    entry = tarfile.TarInfo(path)
    entry.mode = chance.choice(_MODES)
    entry.uid = chance.choice((0, 0, 1000))
    data = b""
    if kind == "hardlink" and not files:
        kind = "file"
    if kind == "file":
        data = bytes([chance.randrange(3)]) * chance.choice((0, 1, 10, 10, 100, 100, 700, 1500))
    elif kind == "directory":
        entry.type = tarfile.DIRTYPE
    elif kind == "symlink":
        entry.type, entry.linkname = tarfile.SYMTYPE, chance.choice(("/x", "y", "../z"))
    elif kind == "hardlink":
        entry.type, entry.linkname = tarfile.LNKTYPE, chance.choice(files)
    elif kind == "whiteout":
        entry.name = f"{prefix}.wh.{leaf}"
    else:
        entry.name = f"{path}/.wh..wh..opq"
    entry.size = len(data)
    return entry, data


def _passes_links(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bool:
    """Whether a name leads through a symlink of its own layer. An index has where it leads, not the name."""
    links = [entry.name + "/" for entry, _ in entries if entry.issym()]
    return any(entry.name.startswith(link) for entry, _ in entries for link in links)


def _tar(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, data in entries:
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _walk(path: str, node: Node) -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    for name, child in sorted((node.children or {}).items()):
        below = f"{path}/{name.decode()}" if path else name.decode()
        found += [(below, child), *_walk(below, child)]
    return found
