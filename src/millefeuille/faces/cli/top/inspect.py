"""`mille inspect`."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Any, Final
from millefeuille.docker.inspection import IMAGE, render_kinds
from millefeuille.docker.shapes.container import CONTAINER
from millefeuille.docker.shapes.network import NETWORK
from millefeuille.docker.shapes.volume import VOLUME, volume_inspect
from millefeuille.engine.volumes import volumes
from millefeuille.errors import Invalid, MilleError, NotFound, Unsupported
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.inspect import inspected as container_inspected
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.inspect import inspected as image_inspected
from millefeuille.faces.cli.network.inspect import inspected as network_inspected
from millefeuille.faces.cli.options import FORMAT_HELP, boolean, string
from millefeuille.oci.reference import InvalidReference
from millefeuille.settings import Settings

FORMAT = string("format", FORMAT_HELP, short="f")
SIZE = boolean("size", "Display total file sizes if the type is container", short="s")
TYPE = string("type", "Only inspect objects of the given type")

_Look = Callable[[Settings, str, bool], dict[str, Any]]
# In the order in which a name is looked up, each with its Go struct.
_KINDS: Final[dict[str, tuple[_Look, str]]] = {
    "container": (
        lambda settings, text, sized: container_inspected(settings, text, sized=sized),
        CONTAINER,
    ),
    "image": (lambda settings, text, sized: image_inspected(settings, text, None), IMAGE),
    "network": (lambda settings, text, sized: network_inspected(settings, text), NETWORK),
    "volume": (lambda settings, text, sized: volume_inspect(volumes(settings).get(text)), VOLUME),
}
_DOCKERS: Final = (
    "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume",
)  # fmt: skip


def run(context: Context, call: Call) -> int:
    """Print what is known of each object, of whichever kind it is."""
    kinds = _kinds(call)
    found: list[tuple[str, dict[str, Any]]] = []
    problems: list[MilleError] = []
    for text in call.arguments:
        try:
            found.append(_inspected(context, call, kinds, text))
        except NotFound as error:
            problems.append(error if call[TYPE] else Refusal(f"Error: No such object: {text}"))
        except Invalid as error:
            problems.append(error)
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render_kinds(found, call[FORMAT])
    context.terminal.write(shown)
    for misfit in misfits:
        context.terminal.complain(str(misfit))
    for problem in problems:
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


def _kinds(call: Call) -> list[str]:
    """The kinds that come into question, in order. Raises Refusal, Unsupported."""
    if not call.given(TYPE):
        return list(_KINDS)
    known = f"must be one of {', '.join(f'{chr(34)}{name}{chr(34)}' for name in _DOCKERS)}"
    if not call[TYPE]:
        raise Refusal(f"type is empty: {known}")
    if call[TYPE] not in _DOCKERS:
        raise Refusal(f'unknown type: "{call[TYPE]}": {known}')
    if call[TYPE] not in _KINDS:
        raise Unsupported(f"there are no objects of type {call[TYPE]} without a swarm or plugins")
    return [call[TYPE]]


def _inspected(context: Context, call: Call, kinds: list[str], text: str) -> tuple[str, dict[str, Any]]:
    for kind in kinds:
        look, struct = _KINDS[kind]
        try:
            found = look(context.settings, text, call[SIZE])
        except (NotFound, InvalidReference):
            # What cannot even be the name of one kind may be that of another.
            if len(kinds) == 1:
                raise
            continue
        if call[SIZE] and kind != "container":
            context.terminal.complain(f"WARNING: --size ignored for {kind}")
        return struct, found
    raise NotFound(f"No such object: {text}")


COMMAND = Command(
    usage="[OPTIONS] NAME|ID [NAME|ID...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        SIZE,
        TYPE,
    ),
    run=run,
    complete="image",
)
