"""The pull in front of a container whose image is not here; its progress stays off standard output."""

from __future__ import annotations

from millefeuille.engine.metadata import prepare
from millefeuille.engine.registries import registries
from millefeuille.faces.cli import progress
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.store import Store
from millefeuille.transfer.pull import pull


def fetch(
    context: Context, store: Store, reference: Reference, platform: Platform | None, quiet: bool
) -> None:
    """Pull the image a container is to be made from. Raises what a pull raises."""
    # Standard output belongs to the container.
    aside = Terminal(context.terminal.stdin, context.terminal.stderr, context.terminal.stderr)
    with progress.shown(aside, "pull", quiet=quiet) as reporter:
        repository = registries(context.settings, reporter).repository(reference)
        pull(store, repository, reference, reporter, platform=platform, prepare=prepare(context.settings))
