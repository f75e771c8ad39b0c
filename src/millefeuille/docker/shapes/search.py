"""`search`: what a registry found."""

from __future__ import annotations

from millefeuille.docker.ellipsis import ellipsis
from millefeuille.values import dataclass

_WIDTH = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A repository that a search found."""

    name: str
    description: str = ""
    stars: int = 0
    official: bool = False


def search_row(result: SearchResult, *, truncate: bool = True, marked: bool = True) -> dict[str, str]:
    """The row of `columns.SEARCH`; official ones are `marked` `[OK]`, except in JSON."""
    description = result.description.replace("\n", " ").replace("\r", " ")
    official = ("[OK]" if result.official else "") if marked else str(result.official).lower()
    return {
        "Name": result.name,
        "Description": ellipsis(description, _WIDTH) if truncate else description,
        "StarCount": str(result.stars),
        "IsOfficial": official,
    }
