"""The mounts of a RUN, found: trees of contexts, stages and images, caches, secrets, agents."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from millefeuille.annotations import Any, cast
from millefeuille.build.copying.layered import LayeredSource
from millefeuille.build.copying.root import RootTree
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.instructions import Run
from millefeuille.build.dockerfile.mount import Mount, mount_target, read_mount
from millefeuille.build.plan import FromContext
from millefeuille.build.running.wish import (
    Bind,
    Cache,
    ChainTree,
    HostTree,
    Memory,
    RunMount,
    Secret,
    Sharing,
    Ssh,
    Tree,
)
from millefeuille.build.sources.source import Source
from millefeuille.build.steps.step import Site, Workshop
from millefeuille.errors import NotFound
from millefeuille.oci.layer import chain_id
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass


class NoSecret(NotFound):
    """A secret or an agent that a RUN requires was not given to the build."""


@dataclass(frozen=True, slots=True)
class Mounts:
    """The mounts, and what of them is in the key; `standing` are the stacks that trees lie in."""

    mounts: tuple[RunMount, ...]
    inputs: tuple[Mapping[str, Any], ...]
    standing: tuple[tuple[LayerRecord, ...], ...]


def mounts(workshop: Workshop, site: Site, instruction: Run) -> Mounts:
    """The mounts of a RUN. Raises DockerfileError, NoSecret, NoContext, NotFound for files."""
    found: list[RunMount] = []
    inputs: list[Mapping[str, Any]] = []
    standing: list[tuple[LayerRecord, ...]] = []
    for text in instruction.mounts:
        mount = _read(text, site)
        reader = _Reader(workshop, site, mount)
        made = reader.made()
        if made is not None:
            found.append(made)
        inputs += reader.inputs
        standing += reader.standing
    return Mounts(tuple(found), tuple(inputs), tuple(standing))


def _read(text: str, site: Site) -> Mount:
    try:
        return read_mount(text, site.state.scope.expand)
    except Complaint as error:
        raise _located(error, site) from None


def _located(error: Complaint, site: Site) -> DockerfileError:
    line = site.written.location.first
    return DockerfileError(error.message, name=site.file, line=line, suggestion=error.suggestion)


class _Reader:
    def __init__(self, workshop: Workshop, site: Site, mount: Mount) -> None:
        self._workshop = workshop
        self._site = site
        self._mount = mount
        self.inputs: list[Mapping[str, Any]] = []
        self.standing: list[tuple[LayerRecord, ...]] = []

    def made(self) -> RunMount | None:
        """The mount; None for a secret or an agent that is not there and not required."""
        mount = self._mount
        makers: dict[str, Callable[[], RunMount | None]] = {
            "bind": self._bind, "cache": self._cache, "tmpfs": self._memory, "secret": self._secret,
            "ssh": self._agent,
        }  # fmt: skip
        return makers[mount.type]()

    def _target(self) -> str:
        try:
            return mount_target(self._mount, self._site.state.directory)
        except Complaint as error:
            raise _located(error, self._site) from None

    def _bind(self) -> Bind:
        mount = self._mount
        tree, digest = self._tree()
        target = self._target()
        self.inputs.append({
            "type": "bind", "target": target, "content": digest,
            **({} if mount.read_only else {"writable": True}),
        })  # fmt: skip
        return Bind(target=target, source=tree, writable=not mount.read_only)

    def _cache(self) -> Cache:
        mount = self._mount
        seed = None
        target = self._target()
        key = {"type": "cache", "target": target, "id": mount.id, **self._attributes(0o755)}
        if mount.read_only:
            key["readOnly"] = True
        if mount.from_:
            seed, key["seed"] = self._tree()
        self.inputs.append(key)
        namespace = self._workshop.request.arguments.get("BUILDKIT_CACHE_MOUNT_NS", "")
        id = mount.id or target
        return Cache(
            target=target, id=f"{namespace}/{id}" if namespace else id, sharing=cast(Sharing, mount.sharing),
            mode=0o755 if mount.mode is None else mount.mode, uid=mount.uid or 0, gid=mount.gid or 0,
            read_only=mount.read_only, seed=seed,
        )  # fmt: skip

    def _memory(self) -> Memory:
        target, size = self._target(), self._mount.size
        self.inputs.append({"type": "tmpfs", "target": target, **({"size": size} if size else {})})
        return Memory(target=target, size=size or None)

    def _secret(self) -> Secret | None:
        mount = self._mount
        given = self._workshop.request.secrets.get(mount.id)
        target = self._target() if mount.target else None
        self.inputs.append({
            "type": "secret", "id": mount.id, "target": target or "", "env": mount.env,
            **self._attributes(0o400),
        })  # fmt: skip
        if given is None:
            if mount.required:
                advice = f"Give it with --secret id={mount.id},…"
                raise NoSecret(f"secret {mount.id}: not found", advice=advice)
            return None
        return Secret(
            value=given.read(), target=target, variable=mount.env or None,
            mode=0o400 if mount.mode is None else mount.mode, uid=mount.uid or 0, gid=mount.gid or 0,
        )  # fmt: skip

    def _agent(self) -> Ssh | None:
        mount = self._mount
        path = self._workshop.request.agents.get(mount.id)
        target = self._target() if mount.target else ""
        self.inputs.append({"type": "ssh", "id": mount.id, "target": target, **self._attributes(0o600)})
        if path is None:
            if mount.required:
                raise NoSecret(f"ssh agent {mount.id}: not given", advice=f"Give it with --ssh {mount.id}")
            return None
        return Ssh(
            agent=path, target=target, mode=0o600 if mount.mode is None else mount.mode,
            uid=mount.uid or 0, gid=mount.gid or 0,
        )  # fmt: skip

    def _attributes(self, mode: int) -> dict[str, Any]:
        """Mode and owner for the key, where they are not those that a mount of its type has anyway."""
        mount = self._mount
        given = {"mode": (mount.mode, mode), "uid": (mount.uid, 0), "gid": (mount.gid, 0)}
        return {name: value for name, (value, usual) in given.items() if value not in (None, usual)}

    def _tree(self) -> tuple[Tree, str]:
        """The tree that is mounted, and the identity of what it holds."""
        mount, site = self._mount, self._site
        path = "/" + mount.source.strip("/")
        origin = site.origin(mount.from_)
        if isinstance(origin, FromContext):
            context = self._workshop.directory(origin)
            digest, hidden = _identity(context, path), context.hidden(path)
            return HostTree(root=os.path.abspath(context.root), path=path, hidden=hidden), digest
        layers = site.layers(self._workshop, origin)
        self.standing.append(layers)
        chain = chain_id(layer.diff_id for layer in layers)
        if path == "/":
            return ChainTree(chain=chain, path=path), str(chain)
        self._workshop.layering.cache.hold()
        with RootTree(self._workshop.layering.store.disk, layers) as tree:
            return ChainTree(chain=chain, path=path), _identity(LayeredSource(tree), path)


def _identity(source: Source, path: str) -> str:
    return source.digest(source.match(path))


def stacks(mounted: Mounts, own: Sequence[LayerRecord]) -> list[Sequence[LayerRecord]]:
    """All stacks that are mounted: the step's own, and those that trees lie in."""
    return [own, *mounted.standing]
