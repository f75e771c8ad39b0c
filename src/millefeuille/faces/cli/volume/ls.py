"""`mille volume ls`."""

from __future__ import annotations

from millefeuille.docker.filters import Filters
from millefeuille.docker.natural import natural
from millefeuille.docker.shapes.volume import VOLUMES, volume_row
from millefeuille.docker.volumeselection import listed
from millefeuille.engine.volumes import users, volumes
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, filters, string
from millefeuille.faces.cli.preferences import default_format
from millefeuille.faces.cli.rendered import render

FILTER = filters("filter", 'Provide filter values (e.g. "dangling=true")', short="f")
FORMAT = string("format", FORMAT_TABLE_HELP)
QUIET = boolean("quiet", "Only display volume names", short="q")


def run(context: Context, call: Call) -> int:
    """Print one line per volume."""
    chosen = Filters.parse(f"{name}={value}" for name, value in call[FILTER])
    used = users(context.settings) if "dangling" in chosen else {}
    found = listed(volumes(context.settings).every(), chosen, used)
    rows = [volume_row(volume) for volume in sorted(found, key=lambda volume: natural(volume.name))]
    template = call[FORMAT] or ("" if call[QUIET] else default_format(context, "volumesFormat"))
    if call[QUIET] and template in ("", "table"):
        for row in rows:
            context.terminal.line(row["Name"])
        return 0
    if call[QUIET] and template == "raw":
        template = "name: {{.Name}}"
    context.terminal.write(render(VOLUMES, rows, template))
    return 0


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FILTER,
        FORMAT,
        QUIET,
    ),
    run=run,
)
