"""`mille container port`."""

from __future__ import annotations

from millefeuille.containers import records
from millefeuille.docker.containerrecords import network_settings
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.docker.creation.quantities import unsigned
from millefeuille.docker.natural import natural
from millefeuille.docker.shapes.container_ports import published_lines
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.exits import Refusal


def run(context: Context, call: Call) -> int:
    """Print where a container's ports are reached, or where one of them is."""
    name, *rest = call.arguments
    container = records.find(open_store(context.settings), place(context.settings), name)
    settings = network_settings(networks(context.settings), container)
    found = published_lines(settings.get("Ports") or {})
    lines = [f"{port} -> {address}" for port, address in found]
    if rest and rest[0]:
        wanted = _port(rest[0])
        lines = [address for port, address in found if port == wanted]
        if not lines:
            raise Refusal(f"Error: No public port '{rest[0]}' published for {name}")
    for line in sorted(lines, key=natural):
        context.terminal.line(line)
    return 0


def _port(text: str) -> str:
    number, _, protocol = text.partition("/")
    try:
        unsigned(number, 16, 10)
    except InvalidOption as error:
        raise Refusal(f"Error: invalid port ({number}): {error}") from error
    return f"{number}/{protocol or 'tcp'}"


COMMAND = Command(
    usage="CONTAINER [PRIVATE_PORT[/PROTO]]", arguments=between(1, 2), run=run, complete="container"
)
