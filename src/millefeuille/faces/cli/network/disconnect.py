"""`mille network disconnect`."""

from __future__ import annotations

from millefeuille.containers import plugging, records
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean
from millefeuille.store.containers import NoSuchContainer

FORCE = boolean("force", "Force the container to disconnect from a network", short="f")


def run(context: Context, call: Call) -> int:
    """Disconnect a container from a network."""
    network, name = call.arguments
    settings = context.settings
    where = place(settings)
    held = networks(settings)
    try:
        container = records.find(open_store(settings), where, name)
    except NoSuchContainer:
        # Who is on a network without being known, after an accident, can still be made to leave it.
        if call[FORCE]:
            for lease, _ in held.connected(held.get(network)):
                if name in (lease.name, lease.container):
                    held.disconnect(lease.container)
                    return 0
        raise
    plugging.unplug(where, held, container, network, force=call[FORCE])
    return 0


COMMAND = Command(usage="[OPTIONS] NETWORK CONTAINER", arguments=exactly(2), options=(FORCE,), run=run)
