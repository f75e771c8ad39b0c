"""Phrase: a status of HTTP in the words of Docker, which are Go's."""

from __future__ import annotations

from http import HTTPStatus

from millefeuille.annotations import Final

# Where the standard library has others, in some of its versions or in all.
# Source: Go, net/http/status.go.
_GO: Final = {
    413: "Request Entity Too Large", 414: "Request URI Too Long", 416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}  # fmt: skip


def phrase(status: int) -> str:
    """The number and its words; the number alone where there are none."""
    try:
        return f"{status} {_GO.get(status) or HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
