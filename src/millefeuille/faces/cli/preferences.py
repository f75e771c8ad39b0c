"""What a person has settled in Docker's client configuration: default formats and filters."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.exits import Refusal
from millefeuille.plainjson import loads
from millefeuille.settings import Settings

_LARGEST: Final = 4 << 20  # bytes


def preference(settings: Settings, name: str) -> Any:
    """The member `name` of config.json, None when there is none. Raises Refusal for a broken file."""
    path = os.path.join(settings.docker_config, "config.json")
    if not os.path.exists(path):
        return None
    try:
        found = loads(files.read_regular(path, _LARGEST))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Refusal(f"WARNING: Error loading config file: open {path}: {why}") from error
    except (ValueError, RecursionError) as error:
        raise Refusal(f"WARNING: Error parsing config file ({path}): not valid JSON") from error
    return found.get(name) if isinstance(found, Mapping) else None


def default_format(context: Context, name: str) -> str:
    """A format that config.json gives under `name`, "" for none. Warns of a broken file, as Docker does."""
    try:
        found = preference(context.settings, name)
    except Refusal as refusal:
        context.terminal.complain(str(refusal))
        return ""
    return found if isinstance(found, str) else ""
