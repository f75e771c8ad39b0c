"""`mille image pull`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean, string

ALL_TAGS = boolean("all-tags", "Download all tagged images in the repository", short="a")
CONTENT_TRUST = boolean("disable-content-trust", "Skip image verification", default=True)
PLATFORM = string("platform", "Set platform if server is multi-platform capable")
QUIET = boolean("quiet", "Suppress verbose output", short="q")


def run(context: Context, call: Call) -> int:
    """Get each image from its registry."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] NAME[:TAG|@DIGEST] [NAME[:TAG|@DIGEST]...]",
    arguments=at_least(1),
    options=(
        ALL_TAGS,
        CONTENT_TRUST,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
