"""`mille image ls`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, filters, string

ALL = boolean("all", "Show all images (default hides intermediate images)", short="a")
DIGESTS = boolean("digests", "Show digests")
FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_TABLE_HELP)
LAYERS = boolean("layers", "List the layers, and which images share them")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
QUIET = boolean("quiet", "Only show image IDs", short="q")
SORT = string("sort", "Sort by name, size or created")
TREE = boolean("tree", "List multi-platform images as a tree (EXPERIMENTAL)")


def run(context: Context, call: Call) -> int:
    """Print a table of the images."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] [REPOSITORY[:TAG]]",
    arguments=at_most(1),
    options=(
        ALL,
        DIGESTS,
        FILTER,
        FORMAT,
        LAYERS,
        NO_TRUNC,
        QUIET,
        SORT,
        TREE,
    ),
    run=run,
    complete="image",
)
