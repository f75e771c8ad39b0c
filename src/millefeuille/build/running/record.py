"""Record: a wish written down as JSON, without what is secret, and read again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from millefeuille.annotations import Any, Final
from millefeuille.build.running.wish import (
    Bind,
    Cache,
    ChainTree,
    HostTree,
    Memory,
    RunMount,
    RunWish,
    Script,
    Tree,
)
from millefeuille.errors import Corrupt
from millefeuille.oci.digest import Digest

# The members of a wish that JSON has as they are.
_PLAIN: Final = ("directory", "user", "network", "security", "hostname", "shm_size")


class DamagedRecord(Corrupt):
    """The record is none."""


def encoded(wish: RunWish, moment: float) -> bytes:
    """The record of a wish and a moment in seconds since 1970."""
    return json.dumps(
        {
            **{name: getattr(wish, name) for name in (*_PLAIN, "arguments", "environment")},
            "parent": None if wish.parent is None else str(wish.parent),
            "extra_hosts": [list(pair) for pair in wish.extra_hosts],
            "ulimits": [dict(limit) for limit in wish.ulimits],
            "resources": dict(wish.resources),
            "mounts": list(_mounts(wish.mounts)),
            "moment": moment,
        }
    ).encode()


def decoded(data: bytes) -> tuple[RunWish, float]:
    """The wish and the moment. Raises DamagedRecord."""
    try:
        told = json.loads(data)
        wish = RunWish(
            **{name: told[name] for name in _PLAIN},
            arguments=tuple(map(str, told["arguments"])),
            environment=tuple(map(str, told["environment"])),
            parent=None if told["parent"] is None else Digest.parse(told["parent"]),
            extra_hosts=tuple((str(name), str(address)) for name, address in told["extra_hosts"]),
            ulimits=tuple(told["ulimits"]),
            resources=told["resources"],
            mounts=tuple(map(_mount, told["mounts"])),
        )
        return wish, float(told["moment"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRecord(f"the record of a failed step: {error}") from None


def _mounts(mounts: Iterable[RunMount]) -> Iterable[dict[str, Any]]:
    for mount in mounts:
        match mount:
            case Bind():
                told = {"source": _tree(mount.source), "writable": mount.writable}
                yield {"type": "bind", "target": mount.target, **told}
            case Cache():
                names = ("target", "id", "sharing", "mode", "uid", "gid", "read_only")
                seed = None if mount.seed is None else _tree(mount.seed)
                yield {"type": "cache", **{name: getattr(mount, name) for name in names}, "seed": seed}
            case Memory():
                yield {"type": "tmpfs", "target": mount.target, "size": mount.size}
            case Script():
                yield {"type": "script", "name": mount.name, "content": os.fsdecode(mount.content)}
            case _:
                pass


def _mount(told: dict[str, Any]) -> RunMount:
    kind, rest = told["type"], {name: value for name, value in told.items() if name != "type"}
    match kind:
        case "bind":
            return Bind(**{**rest, "source": _parsed(rest["source"])})
        case "cache":
            return Cache(**{**rest, "seed": rest["seed"] and _parsed(rest["seed"])})
        case "tmpfs":
            return Memory(**rest)
        case "script":
            return Script(name=rest["name"], content=os.fsencode(rest["content"]))
    raise ValueError(f"no mount is a {kind}")


def _tree(tree: Tree) -> dict[str, Any]:
    if isinstance(tree, ChainTree):
        return {"chain": None if tree.chain is None else str(tree.chain), "path": tree.path}
    return {"root": tree.root, "path": tree.path, "hidden": [os.fsdecode(path) for path in tree.hidden]}


def _parsed(told: dict[str, Any]) -> Tree:
    if "root" in told:
        hidden = tuple(os.fsencode(path) for path in told["hidden"])
        return HostTree(root=told["root"], path=told["path"], hidden=hidden)
    return ChainTree(chain=None if told["chain"] is None else Digest.parse(told["chain"]), path=told["path"])
