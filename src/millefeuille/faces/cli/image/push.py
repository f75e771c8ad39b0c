"""`mille image push`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, string

ALL_TAGS = boolean("all-tags", "Push all tags of an image to the repository", short="a")
CONTENT_TRUST = boolean("disable-content-trust", "Skip image signing", default=True)
PLATFORM = string(
    "platform",
    "Push a platform-specific manifest as a single-platform image to the registry.\n"
    "Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n"
    "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
)
QUIET = boolean("quiet", "Suppress verbose output", short="q")


def run(context: Context, call: Call) -> int:
    """Send an image to its registry."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS] NAME[:TAG]",
    arguments=exactly(1),
    options=(
        ALL_TAGS,
        CONTENT_TRUST,
        PLATFORM,
        QUIET,
    ),
    run=run,
    complete="image",
)
