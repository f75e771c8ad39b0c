"""Dive's JSON, for programs that read it.

As Dive 0.13.1 writes it, but for what an index does not keep: a whiteout's mode and owner, slashes in front
of names, how a hard link writes the path that it names, and GNU's type flag of sparse files. A layer's ID is
its diff ID in hex, which Dive has of some archives only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.analysis.dive import DiveScore
from millefeuille.analysis.image import Image
from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, WHITEOUT
from millefeuille.layers.names import WHITEOUT_PREFIX
from millefeuille.plainjson import quoted_plain

_SHELL: Final = "/bin/sh -c "
# By kind of entry: the tar's type flag, and the type bits of Go's FileMode.
_FLAGS: Final = (0, 48, 53, 50, 49, 51, 52, 54, 48, 48)
_TYPES: Final = (0, 0, 1 << 31, 1 << 27, 0, 1 << 26 | 1 << 21, 1 << 26, 1 << 25, 0, 0)
# As a slash is in no name, the bytes above it can stand one lower: then nothing that a name begins with is
# 0xff, which ends a path behind all that is below it.
_SORTED: Final = bytes((*range(47), 0, *range(47, 255)))
_SPECIAL: Final = ((0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20))  # setuid, setgid, sticky


def dive_json(image: Image, dive: DiveScore) -> str:
    """The text of the file that `dive --json` writes."""
    layers = ",\n".join(_layer(image, number) for number in range(len(image.parts)))
    references = ",\n".join(
        f'      {{\n        "count": {each.count},\n        "sizeBytes": {each.size},\n'
        f'        "file": {_quoted(b"/" + each.path)}\n      }}'
        for each in dive.inefficiencies
    )
    listed = f"[\n{references}\n    ]" if references else "[]"
    return (
        f'{{\n  "layer": [\n{layers}\n  ],\n  "image": {{\n    "sizeBytes": {dive.size},\n'
        f'    "inefficientBytes": {dive.wasted},\n    "efficiencyScore": {_number(dive.efficiency)},\n'
        f'    "fileReference": {listed}\n  }}\n}}'
    )


def _layer(image: Image, number: int) -> str:
    part = image.parts[number]
    rows = ",\n".join(_rows(part.layer))
    listed = f"[\n{rows}\n      ]" if rows else "[]"
    told = number < image.config.filled_steps
    command = part.step.created_by.removeprefix(_SHELL) if told else "(missing)"
    return (
        f'    {{\n      "index": {number},\n      "id": "{part.diff_id.hex}",\n'
        f'      "digestId": "{part.diff_id}",\n      "sizeBytes": {part.layer.index.content_size},\n'
        f'      "command": {_quoted(os.fsencode(command))},\n'
        f'      "fileList": {listed}\n    }}'
    )


def _rows(layer: Layer) -> Iterator[str]:
    """The nodes of a layer's tree, children before their directory, names sorted as bytes."""
    index, kinds = layer.index, layer.kinds
    nodes: dict[bytes, int] = dict(layer.written)
    nodes.pop(b"", None)
    for number in layer.whiteouts:
        above, slash, leaf = layer.paths[number].rpartition(b"/")
        nodes[above + slash + WHITEOUT_PREFIX + leaf] = number
    missing = (layer.parents | {layer.paths[number] for number in layer.opaques}) - nodes.keys() - {b""}
    order = [(path.translate(_SORTED) + b"\0\xff", path) for path in (*nodes, *missing)]
    order.sort()
    modes = {mode: _permissions(mode) for mode in set(index.modes)}
    for _, path in order:
        number = nodes.get(path, -1)
        if number < 0:
            yield _node('""', 0, '""', 0, 0, 0, 0, "false")
            continue
        kind = kinds[number]
        mode = modes[index.modes[number]] | _TYPES[kind] if kind < WHITEOUT else 0o644
        link = _quoted(index.link(number)) if index.links[number] else '""'
        yield _node(
            _quoted(path), _FLAGS[kind], link, layer.sizes[number], mode, index.uids[number],
            index.gids[number], "true" if kind == DIRECTORY else "false",
        )  # fmt: skip


def _node(
    path: str, flag: int, link: str, size: int, mode: int, uid: int, gid: int, is_directory: str
) -> str:
    return (
        f'        {{\n          "path": {path},\n          "typeFlag": {flag},\n'
        f'          "linkName": {link},\n'
        f'          "size": {size},\n          "fileMode": {mode},\n          "uid": {uid},\n'
        f'          "gid": {gid},\n          "isDir": {is_directory}\n        }}'
    )


def _permissions(mode: int) -> int:
    return mode & 0o777 | sum(bit for special, bit in _SPECIAL if mode & special)


def _quoted(text: bytes) -> str:
    """A string as Go's encoding/json writes it."""
    quoted = quoted_plain(text.decode("utf-8", "replace"))
    for character in "<>&\u2028\u2029":
        if character in quoted:
            quoted = quoted.replace(character, f"\\u{ord(character):04x}")
    return quoted


def _number(value: float) -> str:
    """A float64 as Go's encoding/json writes it."""
    return str(int(value)) if value == int(value) else repr(value)
