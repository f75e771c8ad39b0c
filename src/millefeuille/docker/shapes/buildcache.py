"""What the build cache holds, as rows of `system df -v`.

Source: docker/cli v28.2.2, cli/command/formatter/buildcache.go.
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.age import ago, go_time
from millefeuille.docker.columns import Listing
from millefeuille.docker.units import human_size
from millefeuille.values import dataclass

CACHED: Final = Listing(
    type_name="formatter.buildCacheContext",
    headers={
        "ID": "CACHE ID",
        "Parent": "PARENT",
        "CacheType": "CACHE TYPE",
        "Size": "SIZE",
        "CreatedAt": "CREATED AT",
        "CreatedSince": "CREATED",
        "LastUsedAt": "LAST USED AT",
        "LastUsedSince": "LAST USED",
        "UsageCount": "USAGE",
        "InUse": "IN USE",
        "Shared": "SHARED",
        "Description": "DESCRIPTION",
    },
    columns=("ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """One thing in the cache. Times are seconds since 1970, `size` bytes."""

    id: str
    kind: str
    description: str
    size: int
    created: float
    used: float
    uses: int = 0
    in_use: bool = False
    shared: bool = False


def cached_row(cached: Cached, now: float) -> dict[str, str]:
    """The row of CACHED. What a thing stands on is in no row here, so nothing has a parent."""
    return {
        "ID": f"{cached.id}*" if cached.in_use else cached.id,
        "Parent": "",
        "CacheType": cached.kind,
        "Size": human_size(cached.size, 3),
        "CreatedAt": go_time(cached.created),
        "CreatedSince": ago(cached.created, now),
        "LastUsedAt": go_time(cached.used),
        "LastUsedSince": ago(cached.used, now),
        "UsageCount": str(cached.uses),
        "InUse": str(cached.in_use).lower(),
        "Shared": str(cached.shared).lower(),
        "Description": cached.description,
    }
