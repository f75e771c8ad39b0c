"""`mille search`."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.columns import SEARCH
from millefeuille.docker.filters import Filters, InvalidFilter
from millefeuille.docker.shapes.search import SearchResult, search_row
from millefeuille.engine.registries import registries
from millefeuille.errors import Invalid
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, filters, integer, string
from millefeuille.faces.cli.rendered import render
from millefeuille.progress import Silent

FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", "Pretty-print search using a Go template")
LIMIT = integer("limit", "Max number of search results")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")

_FILTERS: Final = frozenset({"is-automated", "is-official", "stars"})
_DEFAULT_LIMIT: Final = 25
_MAXIMUM_LIMIT: Final = 100


class BadLimit(Invalid):
    """More results, or fewer, than can be asked for."""


def run(context: Context, call: Call) -> int:
    """Ask Docker Hub, or the registry that the term begins with, for images."""
    filters = Filters.parse(f"{name}={value}" for name, value in call[FILTER])
    filters.check(_FILTERS)
    least = _least_stars(filters)
    official = filters.boolean("is-official", False)
    automated = filters.boolean("is-automated", False)
    limit = call[LIMIT] or _DEFAULT_LIMIT
    if not 1 <= limit <= _MAXIMUM_LIMIT:
        raise BadLimit(f"limit {limit} is outside the range of [1, {_MAXIMUM_LIMIT}]")
    found = registries(context.settings, Silent()).search(call.arguments[0], limit=limit)
    kept = [
        SearchResult(name=one.name, description=one.description, stars=one.stars, official=one.official)
        for one in found
        if one.stars >= least
        and ("is-official" not in filters or one.official == official)
        and ("is-automated" not in filters or one.automated == automated)
    ]  # fmt: skip
    marked = "json" not in call[FORMAT]
    rows = [search_row(result, truncate=not call[NO_TRUNC], marked=marked) for result in kept]
    context.terminal.write(render(SEARCH, rows, call[FORMAT]))
    return 0


def _least_stars(filters: Filters) -> int:
    """The largest number given. Raises InvalidFilter."""
    numbers = [0]
    for value in filters.get("stars"):
        try:
            numbers.append(int(value))
        except ValueError:
            raise InvalidFilter(f"invalid filter 'stars={value}'") from None
    return max(numbers)


COMMAND = Command(
    usage="[OPTIONS] TERM",
    arguments=exactly(1),
    options=(
        FILTER,
        FORMAT,
        LIMIT,
        NO_TRUNC,
    ),
    run=run,
)
