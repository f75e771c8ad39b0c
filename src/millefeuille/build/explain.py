"""Explain: why a step was not found in the cache: which input is not what it was in the last build.

Inputs are compared one by one; what files of a COPY changed is read from the indexes of the layer that it
made last time and of the one that it made now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from millefeuille.annotations import Any, Final
from millefeuille.build.journal import Account
from millefeuille.layers.index import LayerIndex

_SHOWN: Final = 5  # files or variables that are named one by one
_LONG: Final = 60  # characters of a value that are shown
_AHEAD: Final = 20  # of these, before the first difference
_NAMES: Final = {
    "arguments": "command", "directory": "working directory", "user": "user", "platform": "platform",
    "network": "network", "security": "security mode", "hosts": "extra hosts", "ulimits": "limits",
    "scripts": "here-document", "sources": "source", "destination": "destination", "chown": "owner (--chown)",
    "chmod": "mode (--chmod)", "exclude": "--exclude", "parents": "--parents", "link": "--link",
    "epoch": "timestamp", "unpack": "--unpack", "path": "path", "owner": "owner", "op": "kind of step",
}  # fmt: skip

_OF_TIMES: Final = ("content", "epoch")  # that explain why times differ

Change = dict[str, Any]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """The inputs that differ, each with its name, what it was and what it is.

    Times of files are told where the files are the same, and held to the same timestamp.
    """
    found: list[Change] = []
    for name in sorted({*before, *now} - {"v"}):
        old, new = before.get(name), now.get(name)
        if old == new or (name == "times" and any(before.get(one) != now.get(one) for one in _OF_TIMES)):
            continue
        if name == "environment":
            found += _variables(old or [], new or [])
        else:
            found.append({"input": name, "before": old, "now": new})
    # A change of what is below explains nothing as long as something else does.
    return sorted(found, key=lambda one: one["input"] == "parent")


def _variables(before: Sequence[str], now: Sequence[str]) -> Iterator[Change]:
    old = dict(text.partition("=")[::2] for text in before)
    new = dict(text.partition("=")[::2] for text in now)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield {"input": "variable", "name": name, "before": old.get(name), "now": new.get(name)}
    if old == new:
        yield {"input": "variable", "name": "their order", "before": list(before), "now": list(now)}


def sentence(found: Sequence[Change], last: Account, below: str) -> str:
    """Why the step is made anew, since which build; `below` says what changed below it."""
    said = [_said(change, below) for change in islice(found, _SHOWN)]
    if len(found) > _SHOWN:
        said.append(f"and {len(found) - _SHOWN} more")
    since = f" since build {last.id}"
    return ("not in the cache: " + "; ".join(said) if said else "not in the cache any more: pruned") + since


def _said(change: Change, below: str) -> str:
    name = change["input"]
    if name == "parent":
        return below
    if name == "variable":
        return _variable(change)
    if name == "content":
        return "files changed"
    if name == "file":
        return f"{change['path']}: {change['how']}"
    if name == "times":
        return "times of files changed"
    if name == "mounts":
        return "what is mounted (--mount) changed"
    label = _NAMES.get(name, name)
    return f"{label} changed: {_both(change['before'], change['now'])}"


def _variable(change: Change) -> str:
    name, before, now = change["name"], change["before"], change["now"]
    if before is None:
        return f"variable {name}={_short(now)} is new"
    if now is None:
        return f"variable {name} is gone"
    return f"variable {name} changed: {_both(before, now)}"


def _both(before: object, now: object) -> str:
    """What it was and what it is; of long texts the part around the first difference."""
    old, new = _text(before), _text(now)
    if max(len(old), len(new)) > _LONG:
        same = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
        start = max(0, same - _AHEAD)
        old, new = (("…" if start else "") + text[start:] for text in (old, new))
    return f"{_short(old)} → {_short(new)}"


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)


def _short(value: object) -> str:
    text = _text(value)
    return repr(text if len(text) <= _LONG else text[: _LONG - 1] + "…")


def files(before: LayerIndex, now: LayerIndex) -> list[Change]:
    """The files of two layers that differ: which, and how."""
    old, new = _entries(before), _entries(now)
    found: list[Change] = []
    for path in sorted({*old, *new}):
        how = _how(old.get(path), new.get(path))
        if how:
            found.append({"input": "file", "path": path.decode("utf-8", "replace"), "how": how})
    return found


_File = tuple[int, int, tuple[int, int], bytes, bytes | None]


def _entries(index: LayerIndex) -> dict[bytes, _File]:
    found: dict[bytes, _File] = {}
    for number, path in enumerate(index.paths()):
        entry = index.entry(number)
        owner = (entry.uid, entry.gid)
        found[path] = (entry.kind, entry.mode, owner, entry.link or b"", index.content(number))
    return found


def _how(old: _File | None, new: _File | None) -> str:
    if old == new:
        return ""
    if old is None:
        return "new"
    if new is None:
        return "gone"
    if old[0] != new[0]:
        return "another kind of file"
    how = []
    if old[4] != new[4]:
        how.append("content")
    if old[1] != new[1]:
        how.append(f"mode {old[1]:04o} → {new[1]:04o}")
    if old[2] != new[2]:
        how.append("owner {}:{} → {}:{}".format(*old[2], *new[2]))
    if old[3] != new[3]:
        how.append("link")
    return ", ".join(how) or "changed"
