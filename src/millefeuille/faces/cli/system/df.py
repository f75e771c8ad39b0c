"""`mille system df`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from millefeuille.docker import usagedetails
from millefeuille.docker.columns import USAGE
from millefeuille.docker.containerrecords import listed
from millefeuille.docker.records import summary
from millefeuille.docker.shapes.buildcache import Cached, cached_row
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
from millefeuille.docker.units import human_size
from millefeuille.engine.foreign import reach
from millefeuille.engine.networks import networks
from millefeuille.engine.place import place
from millefeuille.engine.store import existing
from millefeuille.engine.users import users
from millefeuille.engine.volumes import reached
from millefeuille.engine.volumes import users as volume_users
from millefeuille.faces.cli.builder.cached import held
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal, refusing
from millefeuille.faces.cli.options import FORMAT_TABLE_HELP, boolean, string
from millefeuille.faces.cli.rendered import render
from millefeuille.images.usage import StoreUsage, usage
from millefeuille.values import replace
from millefeuille.volumes.volume import Volume

_Kept = tuple[Volume, int, int]  # a volume, how many containers have it, and its bytes

FORMAT = string("format", FORMAT_TABLE_HELP)
VERBOSE = boolean("verbose", "Show detailed information on space usage", short="v")


def run(context: Context, call: Call) -> int:
    """Print what uses the disk."""
    store = existing(context.settings)
    found = StoreUsage(images=(), layers_size=0)
    running: list[Listed] = []
    if store is not None:
        reach(store.disk.root, store.disk.snapshots)
        with store.reading() as tx:
            found = usage(tx, users(context.settings))
        running = listed(store, place(context.settings), networks(context.settings), sized=True)
    images = [
        summary(one.image, shared=one.shared, containers=one.containers) for one in found.images
    ]  # fmt: skip
    kept = _volumes(context)
    cached = held(context.settings, store) if store is not None else []
    if call[VERBOSE]:
        context.terminal.write(_detailed(images, running, kept, cached, call[FORMAT]))
        return 0
    lines = [
        image_usage(images, found.layers_size),
        container_usage(running),
        volume_usage((links, size) for _, links, size in kept),
        _cache_usage(cached),
    ]
    context.terminal.write(render(USAGE, [usage_row(line) for line in lines], call[FORMAT]))
    return 0


def _cache_usage(found: Sequence[Cached]) -> Usage:
    return Usage(
        type=BUILD_CACHE, total=len(found), active=sum(one.in_use for one in found),
        size=sum(one.size for one in found),
        reclaimable=sum(one.size for one in found if not one.shared and not one.in_use), percent=False,
    )  # fmt: skip


def _volumes(context: Context) -> list[_Kept]:
    held = reached(context.settings)
    every = [one for one in held.every() if one.plain]
    having = volume_users(context.settings) if every else {}
    return [(one, len(having.get(one.name, ())), held.size(one)) for one in every]


def _detailed(
    images: Sequence[ImageSummary], running: Sequence[Listed], kept: Sequence[_Kept],
    cached: Sequence[Cached], template: str,
) -> str:  # fmt: skip
    if template == "raw":
        raise Refusal("`system df -v` has no format raw")
    now, truncate = time.time(), usagedetails.is_short(template)
    rows: dict[str, list[usagedetails.Row]] = {
        "Images": [detailed_image_row(image, now, truncate=truncate) for image in images],
        "Containers": [
            # What it stands on is counted with the images.
            container_row(container_summary(replace(one, size_with_image=None), now), now, truncate=truncate)
            for one in running
        ],
        "Volumes": [volume_row(volume, links=links, size=size) for volume, links, size in kept],
        # Docker has what was used longest ago first here.
        "BuildCache": [cached_row(one, now) for one in reversed(cached)],
    }
    with refusing():
        return usagedetails.render(rows, human_size(sum(one.size for one in cached)), template)


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FORMAT,
        VERBOSE,
    ),
    run=run,
)
