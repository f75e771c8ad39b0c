"""`mille image build`."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from typing import Final

from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.report import Reporter, Silent
from millefeuille.build.running.failure import StepFailed
from millefeuille.docker.creation.pairs import mapping
from millefeuille.engine.build import Order, Tree, build_image, series
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import asked, dockerfile, flags
from millefeuille.faces.cli.building.excerpt import excerpt
from millefeuille.faces.cli.building.plain import PlainBuild
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference

_MODES: Final = ("auto", "plain", "tty", "quiet")
_ENTITLEMENTS: Final = frozenset({"network.host", "security.insecure"})


def run(context: Context, call: Call) -> int:
    """Build an image from a Dockerfile."""
    order, written = _order(context, call)
    store = founded(context.settings)

    def fetch(reference: Reference, platform: Platform | None) -> None:
        # A build whose base images are here loads nothing that speaks to registries.
        pulling = importlib.import_module("millefeuille.faces.cli.container.pulling")
        pulling.fetch(context, store, reference, platform, _mode(context, call) == "quiet")

    try:
        with _reporter(context, call) as reporter:
            made = build_image(context.settings, store, order, reporter, fetch)
    except StepFailed as error:
        context.terminal.complain(excerpt(written, error.line))
        exits.report(context.terminal, error)
        return error.code
    if call[flags.IIDFILE]:
        with open(call[flags.IIDFILE], "w", encoding="ascii") as file:
            file.write(str(made.image))
    if call[flags.QUIET]:
        context.terminal.line(str(made.image))
    return 0


def _order(context: Context, call: Call) -> tuple[Order, dockerfile.Written]:
    place = call.arguments[0]
    directory = "" if place == "-" else place
    if directory and not os.path.isdir(directory):
        raise Refusal(f'unable to prepare context: path "{directory}" not found')
    written = dockerfile.read(context, directory, call[flags.FILE])
    allowed: tuple[str, ...] = call[flags.ALLOW]
    unknown = set(allowed) - _ENTITLEMENTS
    if unknown:
        raise Refusal(f"invalid entitlement: {min(unknown)}")
    request, names = asked.request(context, call), asked.names(call)
    tree = Tree(path=directory, ignore=dockerfile.ignored(directory, written.path)) if directory else None
    labels: tuple[str, ...] = call[flags.LABEL]
    where = os.path.abspath(directory) if directory else "-"
    order = Order(
        dockerfile=parse(written.text, name=written.name),
        request=request,
        name=names[0].familiar if names else os.path.basename(where),
        series=series(where, os.path.abspath(written.path) if written.path else "-", request.target),
        names=names,
        labels=mapping(labels),
        context=tree,
        pull=call[flags.PULL],
        allowed=frozenset(allowed),
    )
    return order, written


def _mode(context: Context, call: Call) -> str:
    mode = "quiet" if call[flags.QUIET] else call[flags.PROGRESS]
    if mode not in _MODES:
        raise Refusal(f'invalid progress mode "{mode}": use {", ".join(_MODES)}')
    if mode == "auto":
        return "tty" if context.terminal.stderr.isatty() else "plain"
    return mode


@contextlib.contextmanager
def _reporter(context: Context, call: Call) -> Iterator[Reporter]:
    mode = _mode(context, call)
    if mode == "tty":
        drawing = importlib.import_module("millefeuille.faces.cli.building.drawn")
        with drawing.DrawnBuild(context.terminal) as drawn:
            yield drawn
    else:
        yield Silent() if mode == "quiet" else PlainBuild(context.terminal)


COMMAND = Command(
    usage="[OPTIONS] PATH | -",
    arguments=exactly(1),
    options=flags.ALL,
    run=run,
    complete="directory",
)
