"""An image with every kind of change, as the analyser's view gets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from tests.analysis.stacks import parsed

from millefeuille.analysis.image import Image, Part
from millefeuille.engine.analysis import Analysis
from millefeuille.faces.tui.preferences import Preferences
from millefeuille.faces.tui.state import State
from millefeuille.faces.tui.viewed import Viewed
from millefeuille.oci.config import History, parse
from millefeuille.oci.digest import Digest
from millefeuille.testing import rawtars

BASE = rawtars.archive(
    rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"x" * 300), rawtars.file(b"etc/keep", b"y" * 700),
    rawtars.file(b"etc/text", b"one\ntwo\n"), rawtars.file(b"usr/bin/tool", b"\x7fELF\0" * 400),
    rawtars.file(b"usr/lib/libx.so", b"l" * 1_200_000), rawtars.symlink(b"usr/lib/liby.so", b"libx.so"),
)  # fmt: skip
MIDDLE = rawtars.archive(
    rawtars.file(b"etc/.wh.a"), rawtars.file(b"etc/keep", b"Y" * 900), rawtars.file(b"new", b"z" * 1000),
    rawtars.file(b"opt/b\x1b[31m", b"colour"),
)  # fmt: skip
TOP = rawtars.archive(rawtars.file(b"usr/.wh.lib"), rawtars.file(b"new", b"z" * 10))
STEPS = ("/bin/sh -c #(nop) ADD file:x in / ", "/bin/sh -c rm /etc/a\necho hi", "RUN rm -r /usr/lib")


def image_of(tars: Sequence[bytes], steps: Sequence[str], *, base: int = 0) -> Image:
    """An image with these layers."""
    diff_ids = [Digest.of(tar) for tar in tars]
    names = ",".join(f'"{each}"' for each in diff_ids)
    config = parse(
        f'{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{names}]}}}}'.encode()
    )
    parts = tuple(
        Part(layer=parsed(tar), diff_id=each, digest=each, size=len(tar), step=History(created_by=step))
        for tar, each, step in zip(tars, diff_ids, steps, strict=True)
    )
    return Image(name="test:1", config=config, parts=parts, base=base, base_name="base:1" if base else "")


def viewed_of(image: Image, tars: Sequence[bytes]) -> Viewed:
    """What is looked at, with the contents of files."""

    def read(layer: int, entry: int) -> Iterator[bytes]:
        found = image.layers[layer].index.entry(entry)
        yield tars[layer][found.data : found.data + found.size]

    return Viewed(Analysis(image=image), read=read)


@pytest.fixture
def state() -> State:
    tars = (BASE, MIDDLE, TOP)
    return State(viewed_of(image_of(tars, STEPS), tars), Preferences())
