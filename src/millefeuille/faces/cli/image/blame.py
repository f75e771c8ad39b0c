"""`mille image blame`."""

from __future__ import annotations

import json
import os
import stat

from millefeuille.analysis.blame import Touch, blame, led
from millefeuille.analysis.image import Image
from millefeuille.analysis.schema import KINDS
from millefeuille.docker.ellipsis import ellipsis
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.errors import NotFound
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, analysed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import escaped, printable
from millefeuille.faces.cli.image.inside import PLATFORM
from millefeuille.faces.cli.options import boolean, string
from millefeuille.layers.entry import HARDLINK, TYPE_BITS, WHITEOUT
from millefeuille.layers.following import cleaned

JSON = boolean("json", "Print in JSON format")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
SOURCE = string("source", SOURCE_HELP)

_COMMAND = 60


class NeverThere(NotFound):
    """No layer of the image ever had the path."""


def run(context: Context, call: Call) -> int:
    """Print every layer that wrote, changed or removed a path, the lowest first."""
    text, path = call.arguments
    subject = analysed(context, text, source=call[SOURCE], platform=call[PLATFORM])
    image, account = subject.analysis.image, subject.analysis.account
    wanted = cleaned(os.fsencode(path))
    touches = blame(image, account, wanted)
    if not touches and (there := led(image, account, wanted)) != wanted:
        touches = blame(image, account, there)  # as the image shows it, through /bin or /lib
    if not touches:
        raise NeverThere(f"no layer of image {text} has {path}")
    if call[JSON]:
        items = [_document(image, touch) for touch in touches]
        context.terminal.line(json.dumps({"schemaVersion": "1.0", "path": path, "layers": items}, indent=2))
        return 0
    rows = [_row(image, touch, whole=call[NO_TRUNC]) for touch in touches]
    context.terminal.write(table(("LAYER", "CHANGE", "MODE", "OWNER", "SIZE", "LIVE", "CREATED BY"), rows))
    return 0


def _row(image: Image, touch: Touch, *, whole: bool) -> tuple[str, ...]:
    words = image.parts[touch.layer].step.created_by.removeprefix("/bin/sh -c ").split()
    step = printable(" ".join(words))
    mode, owner, size = "-", "-", "-"
    if touch.act not in ("removed", "hidden") and touch.kind < WHITEOUT:
        kind = touch.file if touch.kind == HARDLINK else touch.kind
        mode = stat.filemode(TYPE_BITS[kind] | touch.mode)
        owner, size = f"{touch.uid}:{touch.gid}", human_size(touch.size)
    act = touch.act
    if act in ("removed", "hidden"):
        act += f" with /{escaped(touch.by)}"
    elif touch.kind == HARDLINK:
        act += f", hard link to /{escaped(touch.link)}"
    shown = step if whole else ellipsis(step, _COMMAND)
    return str(touch.layer), act, mode, owner, size, "yes" if touch.live else "no", shown


def _document(image: Image, touch: Touch) -> dict[str, object]:
    part = image.parts[touch.layer]
    return {
        "layer": touch.layer, "diffId": str(part.diff_id), "createdBy": part.step.created_by,
        "change": touch.act, "by": os.fsdecode(touch.by), "kind": KINDS[touch.kind], "sizeBytes": touch.size,
        "mode": touch.mode, "uid": touch.uid, "gid": touch.gid, "mtime": touch.mtime,
        "link": os.fsdecode(touch.link), "blake3": touch.content.hex() if touch.content else None,
        "live": touch.live,
    }  # fmt: skip


COMMAND = Command(
    usage="[OPTIONS] IMAGE PATH",
    arguments=exactly(2),
    options=(
        JSON,
        NO_TRUNC,
        PLATFORM,
        SOURCE,
    ),
    run=run,
    complete="image",
)
