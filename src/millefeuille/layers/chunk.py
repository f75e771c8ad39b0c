"""How much of a stream is handled at once."""

from __future__ import annotations

from millefeuille.annotations import Final

CHUNK: Final = 256 << 10  # bytes; larger chunks are slower, their buffers no longer fit the cache
