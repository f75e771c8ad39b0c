"""`mille container export`."""

from __future__ import annotations

from millefeuille.containers import records, unmounted
from millefeuille.containers.export import export, export_to_file
from millefeuille.containers.happening import note
from millefeuille.containers.remaining import refuse_going
from millefeuille.engine.place import place
from millefeuille.engine.snapshots import snapshotter
from millefeuille.engine.store import founded
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import string
from millefeuille.transfer.archive.output import BadOutput, check_output

OUTPUT = string("output", "Write to a file, instead of STDOUT", short="o", complete="file")


def run(context: Context, call: Call) -> int:
    """Write the container's files as a tar, to a file or to standard output."""
    terminal, output = context.terminal, call[OUTPUT]
    if not output and terminal.interactive:
        raise Refusal("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    try:
        if output:
            check_output(output)
        store, where = founded(context.settings), place(context.settings)
        container = records.find(store, where, call.arguments[0])
        refuse_going(where, container, "export")
        snapshots = snapshotter(context.settings, store)
        snapshots.release_idle()
        with unmounted.opened(snapshots, where, container) as root:
            if output:
                export_to_file(root, output)
            else:
                export(root, terminal.write_bytes)
                terminal.flush()
        note(store, container, "export")
    except BadOutput as error:
        raise Refusal(f"failed to export container: {error}") from error
    return 0


COMMAND = Command(
    usage="[OPTIONS] CONTAINER",
    arguments=exactly(1),
    options=(OUTPUT,),
    run=run,
    complete="container",
)
