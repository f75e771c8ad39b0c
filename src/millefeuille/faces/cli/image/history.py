"""`mille image history`."""

from __future__ import annotations

import time

from millefeuille.docker.columns import HISTORY, HISTORY_COLUMNS_EXACT
from millefeuille.docker.records import tags
from millefeuille.docker.shapes.history import history_rows, history_steps
from millefeuille.engine.store import existing
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import printable_lines
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.faces.cli.rendered import render
from millefeuille.images.content import config_of, find_platform
from millefeuille.images.lineage import lineage
from millefeuille.oci.platform import Platform
from millefeuille.store.images import layers_of
from millefeuille.store.names import no_such_image

FORMAT = string("format", FORMAT_TABLE_HELP)
HUMAN = boolean("human", "Print sizes and dates in human readable format", short="H", default=True)
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
PLATFORM = string(
    "platform",
    'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)
QUIET = boolean("quiet", "Only show image IDs", short="q")


def run(context: Context, call: Call) -> int:
    """Print the steps of an image, newest first."""
    platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    text = call.arguments[0]
    store = existing(context.settings)
    if store is None:
        raise no_such_image(text)
    with store.reading() as tx:
        image = find_platform(tx, text, platform)
        layers = layers_of(tx, image.id)
        parents = tuple(lineage(tx, image))
    steps = history_steps(
        config_of(store.blobs, image).history,
        [layer.content_size for layer in layers],
        [(str(one.id), tags(one)) for one in parents],
    )
    rows = history_rows(steps, time.time(), human=call[HUMAN], truncate=not call[NO_TRUNC])
    if call[QUIET] and not call[FORMAT]:
        for row in rows:
            context.terminal.line(row["ID"])
        return 0
    columns = None if call[HUMAN] else HISTORY_COLUMNS_EXACT
    text = render(HISTORY, rows, call[FORMAT], columns)
    context.terminal.write(printable_lines(text) if context.terminal.interactive else text)
    return 0


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        FORMAT,
        HUMAN,
        NO_TRUNC,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
