"""Where two images differ, in lines that a table of known differences can name.

    tree /a/b mode: 0o644, ours 0o600
    config Env: ['A=1'], ours []
    history: ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.walks.building.image import Image, Node, names

CONFIG: Final = (
    "Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels", "StopSignal",
    "Shell", "Healthcheck", "OnBuild",
)  # fmt: skip
# The container's own, which engines write while it runs.
_STUBS: Final = {".dockerenv", "dev/console", "dev/pts", "dev/shm", "etc/mtab"}
_NOW: Final = 1_720_000_000  # the times of contexts and of the base lie before it, those of builds after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`what` is the key for the table of known ones."""

    what: str
    theirs: object
    ours: object

    def __str__(self) -> str:
        return f"{self.what}: {self.theirs!r}, ours {self.ours!r}"


def differences(theirs: Image, ours: Image) -> list[Difference]:
    """All differences but the ones of the history."""
    return [*_in_tree(theirs, ours), *_in_config(theirs, ours)]


def in_history(theirs: Image, ours: Image) -> Iterator[Difference]:
    """What made the layers, in the words of the history: each step that is told in other words."""
    one, two = ([_told(*step) for step in image.history] for image in (theirs, ours))
    if len(one) != len(two):
        yield Difference(what="history", theirs=one, ours=two)
        return
    for a, b in zip(one, two, strict=True):
        if a != b:
            yield Difference(what=f"history {a.partition(' ')[0]}", theirs=a, ours=b)


def _told(text: str, empty: bool) -> str:
    """A step, without what is told in other words since the time of Docker 20.10.

    ARG tells the value that it has, HEALTHCHECK its fields, EXPOSE a list, COPY and ADD their flags.
    """
    word, _, rest = text.partition(" ")
    if word in ("ARG", "HEALTHCHECK", "EXPOSE"):
        rest = "..."
    elif word in ("COPY", "ADD"):
        rest = " ".join(one for one in rest.split(" ") if not one.startswith("--"))
    return f"{word} {rest}" + (" (empty)" if empty else "")


def _in_tree(theirs: Image, ours: Image) -> Iterator[Difference]:
    first, second = names(theirs.tree), names(ours.tree)
    for path in sorted((theirs.tree.keys() | ours.tree.keys()) - _STUBS):
        one, two = theirs.tree.get(path), ours.tree.get(path)
        if one is None or two is None:
            yield Difference(what=f"tree /{path}", theirs=_brief(one), ours=_brief(two))
            continue
        a, b = _fields(one) | {"same": first[path]}, _fields(two) | {"same": second[path]}
        a["mtime"], b["mtime"] = _times(one, two)
        for key in a:
            if a[key] != b[key]:
                yield Difference(what=f"tree /{path} {key}", theirs=a[key], ours=b[key])


def _times(one: Node, two: Node) -> tuple[object, object]:
    """Times are promised for what was copied or extracted, and kept for what nobody touched.

    A directory's follows from what was made in it, and no builder promises that.
    """
    if "dir" in (one.kind, two.kind):
        return None, None
    return tuple("new" if node.mtime > _NOW else node.mtime for node in (one, two))  # type: ignore[return-value]


def _fields(node: Node) -> dict[str, object]:
    content = node.text if node.size == len(node.text) else node.data
    return {
        "kind": node.kind, "mode": oct(node.mode), "uid": node.uid, "gid": node.gid,
        "data": content if node.kind == "file" else node.data, "xattrs": node.xattrs,
    }  # fmt: skip


def _brief(node: Node | None) -> str:
    return "nothing" if node is None else f"{node.kind} {node.mode:o} {node.uid}:{node.gid}"


def _in_config(theirs: Image, ours: Image) -> Iterator[Difference]:
    for key in CONFIG:
        a, b = _plain(theirs.config.get(key)), _plain(ours.config.get(key))
        if a != b:
            yield Difference(what=f"config {key}", theirs=a, ours=b)
    for key in ("author", "os", "architecture"):
        a, b = (image.document.get(key) or None for image in (theirs, ours))
        if a != b:
            yield Difference(what=key, theirs=a, ours=b)


def _plain(value: Any) -> Any:
    """Nothing is said in several ways."""
    return value or None
