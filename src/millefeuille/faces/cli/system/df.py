"""`mille system df`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from millefeuille.docker.columns import USAGE
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.listing import render
from millefeuille.docker.records import summary
from millefeuille.docker.shapes.summary import ImageSummary
from millefeuille.docker.shapes.usage import (
    BUILD_CACHE,
    CONTAINERS,
    VOLUMES,
    Usage,
    detailed_image_row,
    image_usage,
    usage_row,
)
from millefeuille.docker.table import table
from millefeuille.engine.store import existing
from millefeuille.engine.users import users
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.images.usage import StoreUsage, usage

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
_VOLUME_HEADERS: Final = ("VOLUME NAME", "LINKS", "SIZE")
_CACHE_HEADERS: Final = ("CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED")


def run(context: Context, call: Call) -> int:
    """Print what uses the disk."""
    store = existing(context.settings)
    found = StoreUsage(images=(), layers_size=0)
    if store is not None:
        with store.reading() as tx:
            found = usage(tx, users(context.settings))
    images = [
        summary(one.image, shared=one.shared, containers=one.containers) for one in found.images
    ]  # fmt: skip
    if call[VERBOSE]:
        context.terminal.write(_detailed(images, call[FORMAT]))
        return 0
    lines = [
        image_usage(images, found.layers_size),
        Usage(type=CONTAINERS), Usage(type=VOLUMES), Usage(type=BUILD_CACHE, percent=False),
    ]  # fmt: skip
    context.terminal.write(render(USAGE, [usage_row(line) for line in lines], call[FORMAT]))
    return 0


def _detailed(images: Sequence[ImageSummary], template: str) -> str:
    rows = [detailed_image_row(image, time.time(), truncate=template != "json") for image in images]
    if template == "json":
        ordered = [dict(sorted(row.items())) for row in rows]
        return marshal({"Images": ordered, "Containers": [], "Volumes": [], "BuildCache": []})
    if template:
        raise Refusal("`system df -v` takes the format json only")
    cells = [[row[name] for name in _IMAGE_FIELDS] for row in rows]
    return (
        f"Images space usage:\n\n{table(_IMAGE_HEADERS, cells)}\n"
        f"Containers space usage:\n\n{table(_CONTAINER_HEADERS, ())}\n"
        f"Local Volumes space usage:\n\n{table(_VOLUME_HEADERS, ())}\n"
        f"Build cache usage: 0B\n\n{table(_CACHE_HEADERS, ())}"
    )


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FORMAT,
        VERBOSE,
    ),
    run=run,
)
