"""`mille container cp`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille.containers import copying, furnished, records
from millefeuille.containers.copying import BadDestination, CannotCopy, NoSuchDirectory
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.placing import Owner, kept
from millefeuille.containers.record import Container
from millefeuille.containers.source import Source
from millefeuille.containers.stream import from_archive
from millefeuille.containers.writable import check_writable
from millefeuille.docker.units import human_size
from millefeuille.engine.containers import host
from millefeuille.engine.store import founded
from millefeuille.errors import Invalid
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean
from millefeuille.runtime import users

ARCHIVE = boolean("archive", "Archive mode (copy all uid/gid information)", short="a")
FOLLOW = boolean("follow-link", "Always follow symbol link in SRC_PATH", short="L")
QUIET = boolean(
    "quiet",
    "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is "
    "attached",
    short="q",
)

STREAM = "-"


class NoPath(Invalid):
    """Nothing of the container is named."""


def run(context: Context, call: Call) -> int:
    """Copy between a container, running or stopped, and this host or the standard streams."""
    source, destination = call.arguments
    for text, what in ((source, "source"), (destination, "destination")):
        if not text:
            raise Refusal(f"{what} can not be empty")
    (giver, source_path), (taker, target_path) = split(source), split(destination)
    if giver and taker:
        raise Refusal("copying between containers is not supported")
    if not giver and not taker:
        raise Refusal("must specify at least one container source")
    if giver:
        return _out(context, call, giver, source_path, target_path)
    return _in(context, call, taker, source_path, target_path)


def split(argument: str) -> tuple[str, str]:
    """CONTAINER and PATH of one argument; "" and all of it for a path of this host."""
    name, colon, path = argument.partition(":")
    if os.path.isabs(argument) or not colon or name.startswith("."):
        return "", argument
    return name, path


def _out(context: Context, call: Call, name: str, path: str, target: str) -> int:
    machine, container = _found(context, name)
    if not path:
        raise NoPath("bad parameter: path cannot be empty")
    with furnished.opened(machine, container) as root:
        own_name = target != STREAM
        with copying.from_container(
            root, name, path, follow=call[FOLLOW], own_name=own_name
        ) as source:
            note(machine.store, container, "archive-path")
            if target == STREAM:
                copying.to_archive(source, context.terminal.write_bytes)
                context.terminal.flush()
                return 0
            with exits.refusing():
                size = copying.to_host(source, target)
    _report(context, call, size, copying.preserved(target))
    return 0


def _in(context: Context, call: Call, name: str, path: str, target: str) -> int:
    machine, container = _found(context, name)
    with furnished.opened(machine, container) as root:
        shown = copying.resolved(root, name, target)
        if path == STREAM:
            with _refusing():
                copying.check_directory(root, name, target)
            check_writable(container, shown)
            spool = machine.store.disk.ingest
            with from_archive(context.terminal.binary_input, spool) as source:
                copying.into_directory(source, root, name, target, owner=_owner(call, container, root))
            note(machine.store, container, "extract-to-dir")
            return 0
        with _on_host(call, path) as source:
            check_writable(container, shown)
            owner = _owner(call, container, root)
            with _refusing():
                size = copying.to_container(source, root, name, target, owner=owner)
        note(machine.store, container, "extract-to-dir")
    _report(context, call, size, f"{name}:{shown}")
    return 0


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """What Docker's client finds out about the destination by itself."""
    try:
        yield
    except (BadDestination, CannotCopy, NoSuchDirectory) as error:
        raise Refusal(str(error)) from error


def _on_host(call: Call, path: str) -> Source:
    with exits.refusing():
        return copying.from_host(path, follow=call[FOLLOW])


def _found(context: Context, name: str) -> tuple[Host, Container]:
    machine = host(context.settings, founded(context.settings))
    return machine, records.find(machine.store, machine.place, name)


def _owner(call: Call, container: Container, root: int) -> Owner:
    """Who owns what is copied in: as Docker's `-a`, the container's own user when it has one."""
    wanted = str(container.config.get("User") or "")
    if not call[ARCHIVE] or not wanted:
        return kept
    user = users.look_up(root, wanted)
    return lambda entry: (user.uid, user.gid)


def _report(context: Context, call: Call, size: int, target: str) -> None:
    if not (call[QUIET] if call.given(QUIET) else not context.terminal.interactive):
        context.terminal.complain(f"Successfully copied {human_size(size, 3)} to {target}")


COMMAND = Command(
    usage="[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tmille cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    arguments=exactly(2),
    options=(
        ARCHIVE,
        FOLLOW,
        QUIET,
    ),
    run=run,
    details="""Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.""",
    complete="container",
)
