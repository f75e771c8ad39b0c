"""`mille image dockerfile`."""

from __future__ import annotations

from millefeuille.analysis.dockerfile import dockerfile
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, analysed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.options import string

SOURCE = string("source", SOURCE_HELP)


def run(context: Context, call: Call) -> int:
    """Print a Dockerfile made from the image's history."""
    subject = analysed(context, call.arguments[0], source=call[SOURCE], platform=call[PLATFORM])
    context.terminal.write(dockerfile(subject.analysis.image))
    return 0


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        PLATFORM,
        SOURCE,
    ),
    run=run,
    complete="image",
)
