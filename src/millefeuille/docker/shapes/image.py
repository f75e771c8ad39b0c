"""`image inspect`: one image in full."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.docker import rfc3339
from millefeuille.docker.shapes.config import shown_config
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What the config of an image does not tell.

    `id` and `parent` are digests ("" for no parent); `tags` and `digests` are references as Docker prints
    them; `size` is bytes; `last_tagged` is nanoseconds since 1970, 0 for never; `driver` and `driver_data`
    say how the layers are held.
    """

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    parent: str = ""
    size: int = 0
    last_tagged: int = 0
    driver: str = "overlay2"
    driver_data: Mapping[str, str] | None = None


def image_inspect(config: Mapping[str, Any], facts: ImageFacts) -> dict[str, Any]:
    """The object that Engine API 1.50 answers, members in Docker's order. `config` is the config blob."""
    created = config.get("created")
    layers = (config.get("rootfs") or {}).get("diff_ids") or []
    return {
        "Id": facts.id,
        "RepoTags": list(facts.tags),
        "RepoDigests": list(facts.digests),
        "Parent": facts.parent,
        "Comment": _comment(config),
        **({"Created": rfc3339.normalised(created)} if created else {}),
        "DockerVersion": config.get("docker_version") or "",
        "Author": config.get("author") or "",
        "Config": shown_config(config.get("config") or {}),
        "Architecture": config.get("architecture") or "",
        **_given("Variant", config.get("variant")),
        "Os": config.get("os") or "",
        **_given("OsVersion", config.get("os.version")),
        "Size": facts.size,
        "GraphDriver": {
            "Data": None if facts.driver_data is None else dict(sorted(facts.driver_data.items())),
            "Name": facts.driver,
        },
        "RootFS": {"Type": "layers", **_given("Layers", list(layers))},
        "Metadata": {"LastTagTime": rfc3339.text(facts.last_tagged)},
    }


def _comment(config: Mapping[str, Any]) -> str:
    """The image's own comment, else that of its last step."""
    history = config.get("history") or [{}]
    return config.get("comment") or history[-1].get("comment") or ""


def _given(name: str, value: object) -> dict[str, object]:
    return {name: value} if value else {}
