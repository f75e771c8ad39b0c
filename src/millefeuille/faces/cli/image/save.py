"""`mille image save`."""

from __future__ import annotations

from millefeuille.engine.store import existing
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import string
from millefeuille.oci.platform import Platform
from millefeuille.store.names import NoSuchImage
from millefeuille.transfer.archive.output import BadOutput, check_output
from millefeuille.transfer.archive.save import save_to_file, save_to_stream

FORMAT = string("format", "Write a docker archive or an oci one", default="docker")
OUTPUT = string("output", "Write to a file, instead of STDOUT", short="o", complete="file")
PLATFORM = string(
    "platform",
    'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)


def run(context: Context, call: Call) -> int:
    """Write the images into one archive, to a file or to standard output."""
    output, terminal = call[OUTPUT], context.terminal
    if call[FORMAT] not in ("docker", "oci"):
        raise Refusal(f'unknown archive format "{call[FORMAT]}"', advice="The formats are docker and oci.")
    with exits.refusing():
        platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    if not output and terminal.interactive:
        raise Refusal("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    try:
        if output:
            check_output(output)
        store = existing(context.settings)
        if store is None:
            raise NoSuchImage(f"No such image: {call.arguments[0]}")
        oci = call[FORMAT] == "oci"
        if output:
            save_to_file(store, call.arguments, output, platform=platform, oci=oci)
        else:
            save_to_stream(store, call.arguments, terminal.write_bytes, platform=platform, oci=oci)
            terminal.flush()
    except BadOutput as error:
        raise Refusal(f"failed to save image: {error}") from error
    return 0


COMMAND = Command(
    usage="[OPTIONS] IMAGE [IMAGE...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        OUTPUT,
        PLATFORM,
    ),
    run=run,
    complete="image",
)
