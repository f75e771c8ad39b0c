"""`mille image rm`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from millefeuille.engine.leftovers import let_go
from millefeuille.engine.store import removing
from millefeuille.engine.users import users
from millefeuille.errors import MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.options import boolean, strings
from millefeuille.images.patterns import expand
from millefeuille.images.remove import Act, remove
from millefeuille.images.users import Users
from millefeuille.images.variants import remove_variants
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.names import no_such_image
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

FORCE = boolean("force", "Force removal of the image", short="f")
NO_PRUNE = boolean("no-prune", "Do not delete untagged parents")
PLATFORM = strings(
    "platform",
    'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)


def run(context: Context, call: Call) -> int:
    """Remove each argument in turn; a failing one does not stop the rest."""
    code = 0
    with exits.refusing():
        platforms = [Platform.parse(text) for text in call[PLATFORM]]
    store = removing(context.settings)
    with store.together(emergency=True) if store is not None else contextlib.nullcontext():
        for text in call.arguments:
            code = _remove_all(context, call, store, text, platforms, code)
    let_go(context.settings)
    return code


def _remove_all(
    context: Context, call: Call, store: Store | None, text: str, platforms: Sequence[Platform], code: int
) -> int:
    """Remove what an argument stands for, which are several images if it has a `*`. The exit code so far."""
    try:
        if store is None:
            raise no_such_image(text)
        with store.reading() as tx:
            matches = expand(tx, text)
    except MilleError as error:
        return _failed(context, call, error, code)
    gone: set[str] = set()
    for match in matches:
        if match not in gone:
            code = _remove_one(context, call, store, match, platforms, gone, code)
    return code


def _remove_one(
    context: Context, call: Call, store: Store, text: str, platforms: Sequence[Platform], gone: set[str],
    code: int,
) -> int:  # fmt: skip
    """Remove one name or image, and tell; names that went come to `gone`. Gives the exit code so far."""
    try:
        with store.writing(emergency=True) as tx:
            acts = _remove(tx, text, platforms, users(context.settings), call)
    except MilleError as error:
        return _failed(context, call, error, code)
    for act in acts:
        if act.untagged:
            gone.add(str(Reference.parse(act.untagged)))
        context.terminal.line(f"Untagged: {act.untagged}" if act.untagged else f"Deleted: {act.deleted}")
    return code


def _failed(context: Context, call: Call, error: MilleError, code: int) -> int:
    exits.report(context.terminal, error)
    # Docker's -f takes an image that is not there as removed already.
    return code if call[FORCE] and isinstance(error, NotFound) else 1


def _remove(
    tx: Transaction, text: str, platforms: Sequence[Platform], users: Users, call: Call
) -> Sequence[Act]:
    if platforms:
        return remove_variants(tx, text, platforms, users, force=call[FORCE])
    return remove(tx, text, users, force=call[FORCE], prune_parents=not call[NO_PRUNE])


COMMAND = Command(
    usage="[OPTIONS] IMAGE [IMAGE...]",
    arguments=at_least(1),
    options=(
        FORCE,
        NO_PRUNE,
        PLATFORM,
    ),
    run=run,
    complete="image",
)
