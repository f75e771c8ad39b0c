"""What `create` and `run` do before a container is made: find its image, or pull it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from millefeuille.containers.create import Wanted as Order
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.container.creation import Wanted
from millefeuille.images.content import PlatformMissing, config_of, find_platform
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.images import ImageRecord
from millefeuille.store.names import NoSuchImage, is_full_id
from millefeuille.store.store import Store

# As `pulling.fetch`, which is loaded when an image is not here.
Fetch = Callable[[Context, Store, Reference, Platform | None, bool], None]


def order(context: Context, store: Store, asked: Wanted) -> Order:
    """What is to be made, with the image's part. Raises as `found` does, OSError for the ID file."""
    if asked.cidfile and os.path.exists(asked.cidfile):
        raise exits.Refusal(
            f"container ID file found, make sure the other container isn't running or delete {asked.cidfile}"
        ) from FileExistsError(asked.cidfile)
    image = found(
        context, store, asked.image, platform=asked.platform, when=asked.pull or "missing", quiet=asked.quiet
    )
    config = config_of(store.blobs, image)
    return Order(
        image=image.id, chain=image.chain, layers=tuple(config.diff_ids), platform=image.platform,
        image_config=config.process, config=asked.config, host_config=asked.host_config,
        networking=asked.networking, name=asked.name,
    )  # fmt: skip


def note_id(path: str, id: str) -> None:
    """Write a new container's ID to the file that was asked for. Raises OSError."""
    if path:
        with open(path, "x", encoding="ascii") as file:
            file.write(id)


def check_terminal(context: Context, asked: Wanted, detached: bool) -> None:
    """Hold that there is a terminal to share where one is asked for. Raises Refusal."""
    config = asked.config
    if not detached and config["Tty"] and config["AttachStdin"] and not context.terminal.input_interactive:
        raise exits.Refusal("the input device is not a TTY")


def found(context: Context, store: Store, text: str, *, platform: str, when: str, quiet: bool) -> ImageRecord:
    """The image that `text` means; pulled, where `when` (always, missing, never) says so.

    Raises NoSuchImage, and what a pull raises.
    """
    if not is_full_id(text):
        with exits.refusing():
            Reference.parse(text)
    wanted = platform or context.settings.platform
    chosen = Platform.parse(wanted) if wanted else None
    if when != "always":
        try:
            with store.reading() as tx:
                return find_platform(tx, text, chosen)
        except (NoSuchImage, PlatformMissing):
            if when == "never" or is_full_id(text):  # an ID is no name that a registry knows
                raise
            if not quiet:
                name = Reference.parse(text).tagged().familiar
                context.terminal.complain(f"Unable to find image '{name}' locally")
    # An image that is here is run without loading what speaks to registries.
    fetch: Fetch = importlib.import_module("millefeuille.faces.cli.container.pulling").fetch
    fetch(context, store, Reference.parse(text).tagged(), chosen, quiet)
    with store.reading() as tx:
        return find_platform(tx, text, chosen)
