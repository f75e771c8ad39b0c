"""`system df -v`: everything that takes space, as four tables, as JSON or through a Go template.

Source: docker/cli v28.2.2, cli/command/formatter/disk_usage.go.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.columns import IMAGES, Listing
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.listing import members
from millefeuille.docker.shapes.buildcache import CACHED
from millefeuille.docker.shapes.container_summary import CONTAINERS
from millefeuille.docker.shapes.volume import VOLUMES
from millefeuille.docker.table import table

Row = Mapping[str, Any]

KINDS: Final[Mapping[str, Listing]] = {
    "Images": IMAGES, "Containers": CONTAINERS, "Volumes": VOLUMES, "BuildCache": CACHED,
}  # fmt: skip
_TYPE: Final = "formatter.diskUsageContext"
_IMAGE_COLUMNS: Final = (
    "Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers",
)  # fmt: skip
_CONTAINER_COLUMNS: Final = (
    "ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names",
)  # fmt: skip


def is_short(template: str) -> bool:
    """Whether IDs and commands are cut, as in tables."""
    return not template or template.startswith("table")


def render(rows: Mapping[str, Sequence[Row]], cache_size: str, template: str = "") -> str:
    """The rows of each of KINDS as text; `template` is that of `--format`, `cache_size` what the cache takes.

    Raises InvalidFormat.
    """
    if template in ("", "table"):
        return (
            f"Images space usage:\n\n{_table(IMAGES, _IMAGE_COLUMNS, rows['Images'])}\n"
            f"Containers space usage:\n\n{_table(CONTAINERS, _CONTAINER_COLUMNS, rows['Containers'])}\n"
            f"Local Volumes space usage:\n\n{_table(VOLUMES, ('Name', 'Links', 'Size'), rows['Volumes'])}\n"
            f"Build cache usage: {cache_size}\n\n{_table(CACHED, CACHED.columns, rows['BuildCache'])}"
        )
    if template == "json":
        return marshal({kind: [members(row) for row in rows[kind]] for kind in KINDS})
    # The template engine is loaded by name, so that the tables do without it.
    formatted = importlib.import_module("millefeuille.docker.formatted")
    lists = {kind: (listing, rows[kind]) for kind, listing in KINDS.items()}
    text: str = formatted.render_together(_TYPE, lists, template)
    return text


def _table(kind: Listing, columns: Sequence[str], rows: Sequence[Row]) -> str:
    headers = [str(kind.headers[name]) for name in columns]
    return table(headers, [[str(row[name]) for name in columns] for row in rows])
