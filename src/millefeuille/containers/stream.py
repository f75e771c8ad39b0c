"""A tar from somewhere as the source of a copy: read whole and judged before anything of it is placed.

The parser is that of layers, with its rules and limits: no name leads out, and what readers disagree about
is refused (docs/layers.md). Two things differ: what a layer takes for a mark that removes files is refused,
and content is not hashed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

from millefeuille import files
from millefeuille.annotations import BinaryIO, Final
from millefeuille.containers.placing import IN_CONTAINER
from millefeuille.containers.source import CONTENT, Source
from millefeuille.errors import Failed, Invalid
from millefeuille.layers.carried import Carried, Run
from millefeuille.layers.entry import FILE, OPAQUE, WHITEOUT
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import TarError
from millefeuille.layers.tar import TarParser
from millefeuille.layers.tarheader import Metadata
from millefeuille.transfer.archive.decompression import archive_inflater, sniff_archive

_CHUNK: Final = 256 << 10  # bytes
_MAGIC_SIZE: Final = 8  # bytes that tell a compression


class MarkInArchive(Invalid):
    """The tar holds a name that would remove files, were it a layer."""


class RefusedArchive(Invalid):
    """The tar breaks a rule, that of the TarError; the message begins as Docker's."""

    def __init__(self, error: TarError) -> None:
        self.rule = error.rule
        reason = "unexpected EOF" if error.rule == "truncated" else error.reason
        super().__init__(f"{IN_CONTAINER}{reason}")


class TruncatedSpool(Failed):
    """What was put aside of a tar cannot be read again."""


def from_archive(stream: BinaryIO, directory: str) -> Source:
    """The files of a tar, compressed or not, which is put aside in a nameless file in `directory`.

    The caller closes it. Raises RefusedArchive, BrokenStream, Bomb, MarkInArchive, OSError.
    """
    spool = _spool(directory)
    try:
        index = _read(stream, spool, directory)
        _refuse_marks(index)
    except TarError as error:
        os.close(spool)
        raise RefusedArchive(error) from error
    except BaseException:
        os.close(spool)
        raise
    return Source(CONTENT, directory=True, files=_files(index, spool), close=partial(os.close, spool))


def _spool(directory: str) -> int:
    descriptor = files.create_nameless(directory)
    if descriptor is not None:
        return descriptor
    path = f"{directory}/cp-{os.urandom(8).hex()}"
    descriptor = files.create(path)
    files.unlink(path)
    return descriptor


def _read(stream: BinaryIO, spool: int, directory: str) -> LayerIndex:
    """Parse the tar while it is written to `spool`, which lies in `directory`."""
    builder = IndexBuilder()
    parser = TarParser(builder, hash_contents=False)
    chunk = _filled(stream)
    inflater = archive_inflater(sniff_archive(chunk[:_MAGIC_SIZE]))
    with files.explained("the archive", root=directory):
        while chunk:
            for piece in inflater.feed(chunk):
                files.write(spool, piece)
                parser.feed(piece, inflater.consumed)
            chunk = stream.read(_CHUNK)
    inflater.finish()
    parser.finish()
    return LayerIndex(builder.finish())


def _filled(stream: BinaryIO) -> bytes:
    """The first chunk, long enough to tell the compression by, or all there is."""
    chunk = b""
    while len(chunk) < _CHUNK:
        more = stream.read(_CHUNK - len(chunk))
        if not more:
            break
        chunk += more
    return chunk


def _refuse_marks(index: LayerIndex) -> None:
    for number, kind in enumerate(index.kinds):
        if kind in (WHITEOUT, OPAQUE):
            path = index.path(number).decode(errors="backslashreplace")
            raise MarkInArchive(
                f"the archive holds a name that begins with .wh., which layers use to remove {path!r}"
            )


def _files(index: LayerIndex, spool: int) -> Iterator[Carried]:
    for number in range(len(index)):
        one = index.entry(number)
        entry = Metadata(
            path=one.path, kind=one.kind, mode=one.mode, uid=one.uid, gid=one.gid, size=one.size,
            mtime=one.mtime, nsec=one.nsec, link=one.link, device=one.device, xattrs=one.xattrs,
        )  # fmt: skip
        if one.kind == FILE:
            extents = one.sparse if one.sparse is not None else ((0, one.size),)
            yield Carried(entry, partial(_runs, spool, one.data, extents))
        else:
            yield Carried(entry)


def _runs(spool: int, at: int, extents: tuple[tuple[int, int], ...]) -> Iterator[Run]:
    for offset, length in extents:
        for done in range(0, length, _CHUNK):
            wanted = min(_CHUNK, length - done)
            data = os.pread(spool, wanted, at + done)
            if len(data) != wanted:
                raise TruncatedSpool("the archive cannot be read again")
            yield offset + done, data
        at += length
