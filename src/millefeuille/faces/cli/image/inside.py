"""What the commands that look into an image share: IMAGE:PATH to the image's files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.engine.store import existing
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.options import string
from millefeuille.images.content import find_platform
from millefeuille.images.files import ImageFiles
from millefeuille.oci.platform import Platform
from millefeuille.store.images import layers_of
from millefeuille.store.names import no_such_image

PLATFORM = string(
    "platform",
    'Look into the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)


@contextlib.contextmanager
def opened(context: Context, text: str, platform: str) -> Iterator[ImageFiles]:
    """The files of the image that `text` means, readable until the block ends.

    Raises NoSuchImage, PlatformMissing, and what ImageFiles raises.
    """
    wanted = Platform.parse(platform) if platform else None
    store = existing(context.settings)
    if store is None:
        raise no_such_image(text)
    with store.reading() as tx:
        image = find_platform(tx, text, wanted)
        found = ImageFiles(store.disk, layers_of(tx, image.id), text)
    with found:
        yield found
