"""What the files of Dive's configuration ask of the view: `~/.dive.yaml` and its twins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis.tree import ADDED, METADATA, MODIFIED, REMOVED, TYPE, UNCHANGED
from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.faces.tui.key_names import is_key
from millefeuille.faces.tui.keys import ACTIONS
from millefeuille.faces.yaml import NULL, BadYaml, Value, excerpt, read_yaml
from millefeuille.values import dataclass, field

# What Dive calls modified is several things here.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "added": frozenset({ADDED}),
    "removed": frozenset({REMOVED}),
    "modified": frozenset({MODIFIED, METADATA, TYPE}),
    "unmodified": frozenset({UNCHANGED}),
}
_WIDEST: Final = 0.9
_HALF: Final = 0.5
_ON: Final = frozenset(("true", "t", "yes", "on"))
_OFF: Final = frozenset(("false", "f", "no", "off"))


class BadPreference(Invalid):
    """A file of the configuration says what cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How the view begins. `keys` has keys for actions; `tree_share` is that of the width, 0 to 1."""

    keys: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    collapsed: bool = False
    attributes: bool = True
    aggregated: bool = False
    tree_share: float = _HALF


def preferences(environment: Mapping[str, str], home: str, named: str = "") -> Preferences:
    """What the file `named` says, else the first that Dive would read; the defaults without one.

    Raises BadPreference.
    """
    for path in (named,) if named else _places(environment, home):
        try:
            with open(path, encoding="utf-8-sig") as file:
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise BadPreference(f"{path}: {(error.strerror or str(error)).lower()}") from error
        except UnicodeDecodeError as error:
            raise BadPreference(f"{path}: {error}") from error
        try:
            return parse(text)
        except (BadYaml, BadPreference) as error:
            raise BadPreference(f"{path}: {error}") from error
    return Preferences()


def parse(text: str) -> Preferences:
    """What a file says. Keys that mean nothing here are left alone. Raises BadYaml, BadPreference."""
    found = _folded(read_yaml(text))
    tree, layer = _section(found, "filetree"), _section(found, "layer")
    return Preferences(
        keys=_keys(_section(found, "keybinding")),
        hidden=_hidden(_section(found, "diff").get("hide", [])),
        collapsed=_flag(tree, "collapse-dir", False),
        attributes=_flag(tree, "show-attributes", True),
        aggregated=_flag(layer, "show-aggregated-changes", False),
        tree_share=_share(tree.get("pane-width")),
    )


def _places(environment: Mapping[str, str], home: str) -> Iterator[str]:
    own = environment.get("XDG_CONFIG_HOME", "")
    others = environment.get("XDG_CONFIG_DIRS", "").split(":")
    for directory in (own, *others, os.path.join(home, ".config")):
        if not directory:
            continue
        place = os.path.join(directory, "dive")
        names = sorted(os.listdir(place)) if os.path.isdir(place) else []
        yield from (os.path.join(place, name) for name in names if name.endswith((".yaml", ".yml")))
    yield os.path.join(home, ".dive.yaml")
    yield os.path.join(home, ".dive.yml")


def _folded(found: Mapping[str, Value]) -> dict[str, Value]:
    """What has a value, with names in small letters: Dive makes no difference."""
    folded: dict[str, Value] = {}
    for name, value in found.items():
        if name.lower() in folded:
            raise BadPreference(f"{excerpt(name.lower())} is there twice")
        folded[name.lower()] = _folded(value) if isinstance(value, dict) else value
    return {name: value for name, value in folded.items() if value is not NULL}


def _section(found: Mapping[str, Value], name: str) -> Mapping[str, Value]:
    """What stands below a name, or behind it and a dot, which is stronger."""
    value = found.get(name, {})
    if value == "":
        value = {}
    if not isinstance(value, dict):
        raise BadPreference(f"{name}: expected a map")
    front = f"{name}."
    return {**value, **{key[len(front) :]: found[key] for key in found if key.startswith(front)}}


def _keys(section: Mapping[str, Value]) -> Mapping[str, str]:
    keys = {}
    for action, value in section.items():
        if action in ACTIONS:
            keys[action] = ",".join(value) if isinstance(value, list) else str(value)
            for key in keys[action].split(","):
                if key.strip() and not is_key(key):
                    raise BadPreference(f"keybinding.{action}: there is no key {excerpt(key.strip())}")
    return keys


def _flag(section: Mapping[str, Value], name: str, otherwise: bool) -> bool:
    value = section.get(name, str(otherwise))
    text = value.lower() if isinstance(value, str) else ""
    if text in _ON or text in _OFF:
        return text in _ON
    if text.isdecimal():
        return text.strip("0") != ""
    raise BadPreference(f"{name}: expected true or false, not {excerpt(value)}")


def _hidden(value: Value) -> frozenset[str]:
    names: Sequence[str] = [value] if isinstance(value, str) and value else list(value)
    unknown = [name for name in names if name.lower() not in KINDS]
    if unknown:
        raise BadPreference(f"diff.hide: there is no {excerpt(unknown[0])}; there are {', '.join(KINDS)}")
    return frozenset().union(*(KINDS[name.lower()] for name in names))


def _share(value: Value | None) -> float:
    """A part of the width; the half where it is none, as Dive has it."""
    try:
        share = float(value) if isinstance(value, str) else _HALF
    except ValueError:
        share = _HALF
    return min(share, _WIDEST) if 0 < share < 1 else _HALF
