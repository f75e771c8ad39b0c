"""`mille system df`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.columns import USAGE
from millefeuille.docker.containerrecords import listed
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.records import summary
from millefeuille.docker.shapes.container_summary import Listed, container_row, container_summary
from millefeuille.docker.shapes.summary import ImageSummary
from millefeuille.docker.shapes.usage import (
    BUILD_CACHE,
    Usage,
    container_usage,
    detailed_image_row,
    image_usage,
    usage_row,
    volume_usage,
)
from millefeuille.docker.shapes.volume import volume_row
from millefeuille.docker.table import table
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import existing
from millefeuille.engine.users import users
from millefeuille.engine.volumes import users as volume_users
from millefeuille.engine.volumes import volumes
from millefeuille.faces.cli.builder.cached import held
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.faces.cli.rendered import render
from millefeuille.images.usage import StoreUsage, usage
from millefeuille.store.store import Store
from millefeuille.values import replace
from millefeuille.volumes.volume import Volume

_Kept = tuple[Volume, int, int]  # a volume, how many containers have it, and its bytes

FORMAT = string("format", FORMAT_TABLE_HELP)
VERBOSE = boolean("verbose", "Show detailed information on space usage", short="v")


_IMAGE_FIELDS: Final = (
    "Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers",
)  # fmt: skip
_IMAGE_HEADERS: Final = (
    "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS",
)  # fmt: skip
_CONTAINER_HEADERS: Final = (
    "CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES",
)  # fmt: skip
_CONTAINER_FIELDS: Final = (
    "ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names",
)  # fmt: skip
_VOLUME_FIELDS: Final = ("Name", "Links", "Size")
_VOLUME_HEADERS: Final = ("VOLUME NAME", "LINKS", "SIZE")
_CACHE_HEADERS: Final = ("CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED")


def run(context: Context, call: Call) -> int:
    """Print what uses the disk."""
    store = existing(context.settings)
    found = StoreUsage(images=(), layers_size=0)
    running: list[Listed] = []
    if store is not None:
        with store.reading() as tx:
            found = usage(tx, users(context.settings))
        running = listed(store, place(context.settings), networks(context.settings), sized=True)
    images = [
        summary(one.image, shared=one.shared, containers=one.containers) for one in found.images
    ]  # fmt: skip
    kept = _volumes(context)
    if call[VERBOSE]:
        context.terminal.write(_detailed(images, running, kept, call[FORMAT]))
        return 0
    lines = [
        image_usage(images, found.layers_size),
        container_usage(running),
        volume_usage((links, size) for _, links, size in kept),
        _cache_usage(store),
    ]
    context.terminal.write(render(USAGE, [usage_row(line) for line in lines], call[FORMAT]))
    return 0


def _cache_usage(store: Store | None) -> Usage:
    found = held(store) if store is not None else []
    return Usage(
        type=BUILD_CACHE, total=len(found), active=sum(one.in_use for one in found),
        size=sum(one.size for one in found),
        reclaimable=sum(one.size for one in found if not one.shared and not one.in_use), percent=False,
    )  # fmt: skip


def _volumes(context: Context) -> list[_Kept]:
    held = volumes(context.settings)
    every = held.every()
    having = volume_users(context.settings) if every else {}
    return [(one, len(having.get(one.name, ())), held.size(one)) for one in every]


def _detailed(
    images: Sequence[ImageSummary], running: Sequence[Listed], kept: Sequence[_Kept], template: str
) -> str:
    now, truncate = time.time(), template != "json"
    rows: dict[str, list[Mapping[str, Any]]] = {
        "Images": [detailed_image_row(image, now, truncate=truncate) for image in images],
        "Containers": [
            # What it stands on is counted with the images.
            container_row(container_summary(replace(one, size_with_image=None), now), now, truncate=truncate)
            for one in running
        ],
        "Volumes": [volume_row(volume, links=links, size=size) for volume, links, size in kept],
        "BuildCache": [],
    }
    if template == "json":
        return marshal({kind: [_plain(row) for row in found] for kind, found in rows.items()})
    if template:
        raise Refusal("`system df -v` takes the format json only")
    return (
        f"Images space usage:\n\n{_table(_IMAGE_FIELDS, _IMAGE_HEADERS, rows['Images'])}\n"
        f"Containers space usage:\n\n{_table(_CONTAINER_FIELDS, _CONTAINER_HEADERS, rows['Containers'])}\n"
        f"Local Volumes space usage:\n\n{_table(_VOLUME_FIELDS, _VOLUME_HEADERS, rows['Volumes'])}\n"
        f"Build cache usage: 0B\n\n{table(_CACHE_HEADERS, ())}"
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's fields for JSON: methods with an argument are none."""
    return {name: value for name, value in sorted(row.items()) if not callable(value)}


def _table(fields: Sequence[str], headers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    return table(headers, [[str(row[name]) for name in fields] for row in rows])


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FORMAT,
        VERBOSE,
    ),
    run=run,
)
