"""`mille image cp`."""

from __future__ import annotations

from millefeuille.containers import copying
from millefeuille.docker.units import human_size
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.inside import PLATFORM, opened
from millefeuille.faces.cli.options import boolean

FOLLOW = boolean("follow-link", "Always follow symbol link in PATH", short="L")
QUIET = boolean(
    "quiet",
    "Suppress the last line. It is automatically suppressed if no terminal is attached",
    short="q",
)

STREAM = "-"


def run(context: Context, call: Call) -> int:
    """Copy a file or a directory out of an image, by the rules of `cp`."""
    source, target = call.arguments
    image, path = _split(source)
    if not target:
        raise Refusal("destination can not be empty")
    with opened(context, image, call[PLATFORM]) as files:
        given = files.source(path, follow=call[FOLLOW])
        if target == STREAM:
            copying.to_archive(given, context.terminal.write_bytes)
            context.terminal.flush()
            return 0
        size = copying.to_host(given, target)
    if not (call[QUIET] if call.given(QUIET) else not context.terminal.interactive):
        done = f"Successfully copied {human_size(size, 3)} to {copying.preserved(target)}"
        context.terminal.complain(done)
    return 0


def _split(argument: str) -> tuple[str, str]:
    """IMAGE and PATH. No image name holds `:/`; a path without a slash stands behind the last colon."""
    image, colon, path = argument.partition(":/")
    if colon:
        path = f"/{path}"
    else:
        image, _, path = argument.rpartition(":")
    if not image or not path:
        raise Refusal(
            f'"{argument}" is not IMAGE:PATH', advice="For example: mille image cp nginx:1.24:/etc/nginx ."
        )
    return image, path


COMMAND = Command(
    usage="[OPTIONS] IMAGE:PATH DEST_PATH|-",
    arguments=exactly(2),
    options=(
        FOLLOW,
        PLATFORM,
        QUIET,
    ),
    run=run,
    details="""Copy a file or a directory out of an image, which is not mounted for it

Use '-' as the destination to stream a tar archive to stdout.""",
    complete="image",
)
