"""`mille image ls`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence

from millefeuille.docker.columns import IMAGE_COLUMNS_WITH_DIGEST, IMAGES
from millefeuille.docker.records import summary
from millefeuille.docker.shapes.summary import NONE, image_rows
from millefeuille.engine.store import existing
from millefeuille.faces.cli import catalogue, exits
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, filters, string
from millefeuille.faces.cli.preferences import default_format
from millefeuille.faces.cli.rendered import render
from millefeuille.images.listing import visible
from millefeuille.store.images import ImageRecord

ALL = boolean("all", "Show all images (default hides intermediate images)", short="a")
DIGESTS = boolean("digests", "Show digests")
FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_TABLE_HELP)
LAYERS = boolean("layers", "List the layers, and which images share them")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
QUIET = boolean("quiet", "Only show image IDs", short="q")
SORT = string("sort", "Sort by name, size or created")
TREE = boolean("tree", "List multi-platform images as a tree (EXPERIMENTAL)")


# Newest first is the order in which they come.
_ORDERS = ("", "created", "name", "size")


def run(context: Context, call: Call) -> int:
    """Print one line per name of each image."""
    if call[TREE]:
        return _show_tree(context, call)
    if call[SORT] not in _ORDERS:
        complaint = f'invalid argument "{call[SORT]}" for "--sort" flag: must be one of name, size, created'
        raise Refusal(complaint, code=exits.USAGE)
    if call[LAYERS]:
        return _show_sharing(context, call)
    template = call[FORMAT] or default_format(context, "imagesFormat")
    found = _listed(context, call)
    now = time.time()
    shown: list[dict[str, str]] = []
    for image in found:
        texts = image_rows(
            summary(image), now, digests=call[DIGESTS], template=template, truncate=not call[NO_TRUNC]
        )
        shown += texts
    if call[SORT] == "name":
        shown.sort(key=lambda row: (row["Repository"] == NONE, row["Repository"], row["Tag"]))
    if call[QUIET] and not template:
        for row in shown:
            context.terminal.line(row["ID"])
        return 0
    context.terminal.write(render(IMAGES, shown, _template(call, template), _columns(call)))
    if not found and call.arguments and catalogue.find(f"image {call.arguments[0]}"):
        word = call.arguments[0]
        context.terminal.complain(f'\nNo images found matching "{word}": did you mean "mille image {word}"?')
    return 0


def _listed(context: Context, call: Call) -> Sequence[ImageRecord]:
    store = existing(context.settings)
    if call[FILTER] or call.arguments:
        # Loaded by name, as all that a plain list does without.
        select = importlib.import_module("millefeuille.faces.cli.image.selected").selected
        found: Sequence[ImageRecord] = select(store, call[FILTER], "".join(call.arguments), all=call[ALL])
    elif store is not None:
        with store.reading() as tx:
            found = visible(tx, all=call[ALL])
    else:
        found = ()
    return sorted(found, key=lambda image: -image.size) if call[SORT] == "size" else found


def _columns(call: Call) -> Sequence[str] | None:
    return IMAGE_COLUMNS_WITH_DIGEST if call[DIGESTS] else None


def _template(call: Call, template: str) -> str:
    """Docker's two named formats know of -q and --digests; a table of one's own gets the digest added."""
    if template == "raw":
        if call[QUIET]:
            return "image_id: {{.ID}}"
        digest = "digest: {{.Digest}}\n" if call[DIGESTS] else ""
        return IMAGES.named["raw"].replace("image_id:", f"{digest}image_id:")
    if template == "table" and call[QUIET]:
        return "{{.ID}}"
    if template.startswith("table ") and call[DIGESTS] and ".Digest" not in template:
        return template + "\t{{.Digest}}"
    return template


def _show_tree(context: Context, call: Call) -> int:
    # Docker calls --digests by another name here.
    unfit = ((QUIET, "quiet"), (NO_TRUNC, "no-trunc"), (DIGESTS, "show-digest"), (FORMAT, "format"))
    for option, name in unfit:
        if call.given(option):
            raise Refusal(f"--{name} is not yet supported with --tree")
    tree = importlib.import_module("millefeuille.faces.cli.image.tree")
    users = importlib.import_module("millefeuille.engine.users").users
    found = _listed(context, call)
    tree.show(context.terminal, existing(context.settings), found, users(context.settings))
    return 0


def _show_sharing(context: Context, call: Call) -> int:
    for option in (FILTER, QUIET, DIGESTS, SORT):
        if call.given(option):
            raise Refusal(f"--{option.name} is not supported with --layers")
    if call[FORMAT] not in ("", "table", "json"):
        raise Refusal("--layers takes the formats table and json")
    store = existing(context.settings)
    shared = importlib.import_module("millefeuille.faces.cli.image.shared")
    found = shared.find(store)
    context.terminal.write(shared.as_json(found) if call[FORMAT] == "json" else shared.as_tables(found))
    return 0


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
