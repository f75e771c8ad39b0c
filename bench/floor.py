"""The least that any verifying pull must do: inflate gzip blobs by isal and hash both sides, in one thread.

python -m bench.floor BLOB...
"""

from __future__ import annotations

import hashlib
import sys

from isal import isal_zlib

_CHUNK = 256 << 10  # bytes


def main(paths: list[str]) -> None:
    """Read each blob once; the digests are computed and thrown away."""
    for path in paths:
        outer, inner = hashlib.sha256(), hashlib.sha256()
        inflater = isal_zlib.decompressobj(31)
        with open(path, "rb") as blob:
            while chunk := blob.read(_CHUNK):
                outer.update(chunk)
                inner.update(inflater.decompress(chunk))
        outer.digest(), inner.digest()


if __name__ == "__main__":
    main(sys.argv[1:])
