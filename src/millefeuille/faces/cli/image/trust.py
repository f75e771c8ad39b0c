"""Docker Content Trust: the switch is accepted; asking for signatures is an error, never ignored."""

from __future__ import annotations

from millefeuille.faces.cli.command import Call, Context
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, boolean
from millefeuille.faces.cli.values import read_bool

_VARIABLE = "DOCKER_CONTENT_TRUST"


def content_trust(help: str) -> Option[bool]:
    """The switch, on by default."""
    return boolean("disable-content-trust", help, default=True)


def refuse_trust(context: Context, call: Call, option: Option[bool]) -> None:
    """Raise Refusal when the switch, or the variable in its absence, asks for signed images."""
    if call.given(option):
        disabled = call[option]
    else:
        disabled = not _wanted(context.settings.environment.get(_VARIABLE, ""))
    if not disabled:
        raise Refusal(
            "Docker Content Trust is not supported",
            advice=f"Docker retired its servers. Unset {_VARIABLE}, and pull by digest to fix the content.",
        )


def _wanted(text: str) -> bool:
    try:
        return read_bool(text, False)
    except ValueError:
        return False
