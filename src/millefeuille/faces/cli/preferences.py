"""What a person has settled in Docker's client configuration: default formats and filters."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.faces.cli.exits import Refusal
from millefeuille.plainjson import loads
from millefeuille.settings import Settings


def preference(settings: Settings, name: str) -> Any:
    """The member `name` of config.json, None when there is none. Raises Refusal for a broken file."""
    path = os.path.join(settings.docker_config, "config.json")
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            found = loads(file.read())
    except (OSError, ValueError) as error:
        raise Refusal(f"WARNING: Error loading config file: {path}: {error}") from error
    return found.get(name) if isinstance(found, Mapping) else None


def default_format(settings: Settings, name: str) -> str:
    """A format that config.json gives under `name`, "" for none."""
    found = preference(settings, name)
    return found if isinstance(found, str) else ""
