"""`mille image save`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import string

FORMAT = string("format", "Write a docker archive or an oci one", default="docker")
OUTPUT = string("output", "Write to a file, instead of STDOUT", short="o", complete="file")
PLATFORM = string(
    "platform",
    'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)


def run(context: Context, call: Call) -> int:
    """Write the images into one archive."""
    raise Unsupported(f"`{context.path}` is not available in this version")


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
