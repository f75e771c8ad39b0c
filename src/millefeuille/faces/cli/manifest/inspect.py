"""`mille manifest inspect`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.options import boolean

INSECURE = boolean("insecure", "Allow communication with an insecure registry")
VERBOSE = boolean("verbose", "Output additional info including layers and platform", short="v")


def run(context: Context, call: Call) -> int:
    """Print a manifest as its registry has it."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] [MANIFEST_LIST] MANIFEST",
    arguments=between(1, 2),
    options=(
        INSECURE,
        VERBOSE,
    ),
    run=run,
    complete="image",
)
