"""The page: one file that loads nothing, and that runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources

from millefeuille.engine.analysis import Analysis
from millefeuille.faces.cli.analyze.html.data import page_data
from millefeuille.faces.cli.escaped import printable


def page(analysis: Analysis) -> bytes:
    """The report on an image, to be opened in a browser. Raises BrokenLink."""
    style, script = _resource("page.css"), _resource("page.js")
    parts = {
        "{{title}}": html.escape(printable(analysis.image.name)),
        "{{style-hash}}": _hash(style),
        "{{script-hash}}": _hash(script),
        "{{style}}": style,
        "{{script}}": script,
        "{{data}}": page_data(analysis.image, analysis.account, analysis.document),
    }
    # Each mark is looked for in the page alone, not in what was put into it.
    pieces, rest = [], _resource("page.html")
    while rest:
        at, mark = min(((rest.find(mark), mark) for mark in parts if mark in rest), default=(len(rest), ""))
        pieces += [rest[:at], parts.get(mark, "")]
        rest = rest[at + len(mark) :]
    return "".join(pieces).encode("utf-8", "backslashreplace")


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy calls a script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
