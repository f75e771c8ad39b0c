"""A large build context: files of real packages, from the layers of the large image."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Final

from millefeuille.testing.images import MadeImage

FILES: Final = 33_000
BYTES: Final = 600_000_000
_CHUNK: Final = 1 << 20
_LARGEST: Final = 64 << 10  # bytes


def large_tree(image: MadeImage, directory: Path) -> None:
    """Fill `directory` with regular files out of the image's layers: FILES of them, BYTES in all.

    Only small ones are taken, so that they are so many; one large file makes up for it.
    """
    count = size = 0
    for layer in image.layers:
        with tarfile.open(layer.path) as tar:
            for member in tar:
                if not member.isreg() or member.size > _LARGEST or count >= FILES - 1:
                    continue
                content = tar.extractfile(member)
                assert content is not None
                path = directory / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.exists():
                    continue
                path.write_bytes(content.read())
                count += 1
                size += member.size
    _fill(directory / "rest", BYTES - size)


def _fill(path: Path, size: int) -> None:
    with path.open("wb") as file, open("/dev/urandom", "rb") as random:
        while size > 0:
            size -= file.write(random.read(min(size, _CHUNK)))
