"""The layer that an error of its stream is about, named in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.layers.refusal import TarError
from millefeuille.oci.digest import Digest


@contextlib.contextmanager
def naming(blob: Digest) -> Iterator[None]:
    """Have BrokenStream, Bomb and TarError from the block say which layer they are about: that of `blob`."""
    try:
        yield
    except (BrokenStream, Bomb, TarError) as error:
        error.args = (f"layer {blob}: {error}", *error.args[1:])
        raise
