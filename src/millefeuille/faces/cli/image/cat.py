"""`mille image cat`."""

from __future__ import annotations

import stat

from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.image.inside import PLATFORM, opened
from millefeuille.images.files import NotAFile

_ZEROS = bytes(1 << 20)


def run(context: Context, call: Call) -> int:
    """Print a file of an image; nothing of it when its bytes are not those that came with the image."""
    image, path = call.arguments
    terminal = context.terminal
    with opened(context, image, call[PLATFORM]) as files:
        _, node = files.find(path)
        if node.children is not None:
            raise NotAFile(f"{path} in image {image} is a directory")
        if not stat.S_ISREG(node.mode):
            raise NotAFile(f"{path} in image {image} is no regular file")
        # Read twice, from memory the second time: half of a file may do more harm than none of it.
        files.verify(node)
        position = 0
        for offset, data in files.content(node):
            _zeros(context, offset - position)
            terminal.write_bytes(data)
            position = offset + len(data)
        _zeros(context, node.size - position)
    terminal.flush()
    return 0


def _zeros(context: Context, count: int) -> None:
    """A hole of a sparse file."""
    while count > 0:
        context.terminal.write_bytes(_ZEROS[:count])
        count -= len(_ZEROS)


COMMAND = Command(
    usage="[OPTIONS] IMAGE PATH",
    arguments=exactly(2),
    options=(PLATFORM,),
    run=run,
    complete="image",
)
