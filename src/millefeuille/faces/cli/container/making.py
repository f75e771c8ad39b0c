"""What `create` and `run` do to make a container: find its image, or pull it, and warn of its platform."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator

from millefeuille.annotations import Final
from millefeuille.containers import merging
from millefeuille.containers.create import Wanted as Order
from millefeuille.containers.create import create
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.container.creation import Wanted
from millefeuille.images.content import PlatformMissing, config_of, find_platform
from millefeuille.later import Later
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.blobs import BlobNotFound
from millefeuille.store.containers import ImageGone
from millefeuille.store.images import ImageRecord
from millefeuille.store.names import NoSuchImage, is_full_id
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import otherplatform
else:
    otherplatform = Later("millefeuille.containers.otherplatform")

# As `pulling.fetch`, which is loaded when an image is not here.
Fetch = Callable[[Context, Store, Reference, Platform | None, bool], None]

_LONGEST: Final = 60  # characters of an entry that a warning shows
_AGAIN: Final = 5  # times that an image may be removed under our hands


class NoIdFile(exits.Refusal):
    """The file for the new container's ID cannot be made; the words are Docker's."""


@contextlib.contextmanager
def id_file(path: str) -> Iterator[Callable[[str], None]]:
    """Make the file for a new container's ID, if one is asked for, and give what writes the ID there.

    The file is made before the container, and goes with it: without an ID it is removed. Raises NoIdFile.
    """
    if not path:
        yield lambda id: None
        return
    if os.path.exists(path):
        raise NoIdFile(
            f"container ID file found, make sure the other container isn't running or delete {path}"
        )
    try:
        file = open(path, "x", encoding="ascii")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NoIdFile(f"failed to create the container ID file: open {path}: {reason}") from error
    try:
        with file:
            yield lambda id: print(id, end="", file=file, flush=True)
    finally:
        with contextlib.suppress(FileNotFoundError):  # somebody else removed it
            if not os.path.getsize(path):
                os.unlink(path)


def make(context: Context, host: Host, store: Store, asked: Wanted, *, starting: bool = False) -> Container:
    """Make the container, for one to be started next as `create` has it; warn of an image that is for another
    platform than this one, unless one was named.

    Raises as `found` and `create` do.
    """
    for _ in range(_AGAIN):
        try:
            return _made(context, host, store, asked, starting)
        except (ImageGone, BlobNotFound):  # removed since; its name may have got another one, which is here
            continue
    return _made(context, host, store, asked, starting)


def _made(context: Context, host: Host, store: Store, asked: Wanted, starting: bool) -> Container:
    image = found(
        context, store, asked.image, platform=asked.platform, when=asked.pull or "missing", quiet=asked.quiet
    )
    config = config_of(store.blobs, image)
    order = Order(
        image=image.id, chain=image.chain, layers=tuple(config.diff_ids), platform=image.platform,
        image_config=config.process, config=asked.config, host_config=asked.host_config,
        networking=asked.networking, name=asked.name,
    )  # fmt: skip
    container = create(host, order, starting=starting)
    for entry in merging.left_out(config.process):
        shown = entry if len(entry) <= _LONGEST else f"{entry[:_LONGEST]}..."
        context.terminal.complain(
            f'WARNING: the image\'s environment has "{shown}", which is not NAME=VALUE: it is left out'
        )
    if not (asked.platform or context.settings.platform) and config.platform != Platform.host():
        warning = otherplatform.platform_warning(config)
        if warning:
            context.terminal.complain(warning)
    return container


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
