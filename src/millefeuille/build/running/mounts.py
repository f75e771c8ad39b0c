"""Mounts: what a RUN asks to have mounted, made ready, in the OCI spec's words.

Secrets, scripts and sockets lie in a file system in memory that nobody else sees. Caches are taken in the
order of their keys, whatever order they are asked for in, so that no two commands wait for each other.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.build.running import caches
from millefeuille.build.running.agent import AgentProxy
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.names import bind, write_file
from millefeuille.build.running.sweep import sweep
from millefeuille.build.running.trees import Trees
from millefeuille.build.running.wish import Bind, Cache, Memory, RunWish, Script, Secret, Ssh
from millefeuille.errors import Invalid
from millefeuille.values import dataclass
from millefeuille.volumes import filling

_AGENT: Final = "SSH_AUTH_SOCK"
_PIPES: Final = "/dev/pipes"


class BadTarget(Invalid):
    """A mount has no place of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """The mounts, in the order of the wish, and NAME=VALUE texts for the command that no record may keep."""

    mounts: list[dict[str, Any]]
    variables: list[str]


class Furnishing:
    """Makes the mounts of one RUN ready, among those of the thread that calls; `private` is the directory in
    memory. What has to stay until the command has ended is closed with `stack`. `tick` is called while
    something is waited for.
    """

    def __init__(
        self,
        host: RunHost,
        wish: RunWish,
        *,
        private: str,
        trees: Trees,
        stack: contextlib.ExitStack,
        tick: Callable[[], None],
    ) -> None:
        self._host = host
        self._wish = wish
        self._private = private
        self._trees = trees
        self._stack = stack
        self._tick = tick
        self._variables: list[str] = []
        self._count = 0
        self._agents = 0
        self._waited = False

    def furnish(self) -> Furnished:
        """Raises NotFound for a tree, BadTarget, OSError, and what mounting and `tick` raise."""
        taken = self._caches(mount for mount in self._wish.mounts if isinstance(mount, Cache))
        mounts = []
        for mount in self._wish.mounts:
            self._count += 1
            if isinstance(mount, Cache):
                path = taken[caches.key(mount)]
                mounts.append(bind(self._target(mount.target), path, writable=not mount.read_only))
            else:
                mounts += self._mounted(mount)
        return Furnished(mounts=mounts, variables=self._variables)

    def _mounted(self, mount: Bind | Memory | Secret | Ssh | Script) -> list[dict[str, Any]]:
        match mount:
            case Bind():
                path = self._trees.attached(mount.source, writable=mount.writable)
                return [bind(self._target(mount.target), path, writable=mount.writable)]
            case Memory():
                size = [] if mount.size is None else [f"size={mount.size}"]
                target = self._target(mount.target)
                return [
                    {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", *size]}
                ]
            case Secret():
                return self._secret(mount)
            case Ssh():
                return [self._agent(mount)]
            case Script():
                return self._script(mount)

    def _secret(self, secret: Secret) -> list[dict[str, Any]]:
        if secret.variable is not None:
            text = secret.value.decode(errors="surrogateescape")
            if "\0" in text:
                raise BadTarget(f"the secret for the variable {secret.variable} has a zero byte")
            self._variables.append(f"{secret.variable}={text}")
        if secret.target is None:
            return []
        path = f"{self._private}/secret-{self._count}"
        write_file(path, secret.value, mode=secret.mode, uid=secret.uid, gid=secret.gid)
        mount = bind(self._target(secret.target), path, writable=False)
        return [{**mount, "options": [*mount["options"], "nosuid", "nodev", "noexec"]}]

    def _agent(self, wish: Ssh) -> dict[str, Any]:
        path = f"{self._private}/agent-{self._count}"
        target = self._target(wish.target or f"/run/buildkit/ssh_agent.{self._agents}")
        with _short(self._private) as short:
            proxy = AgentProxy(
                f"{short}/agent-{self._count}", wish.agent, mode=wish.mode, uid=wish.uid, gid=wish.gid
            )
        self._stack.callback(proxy.close)
        given = (*self._wish.environment, *self._variables)
        if not self._agents and not any(text.startswith(f"{_AGENT}=") for text in given):
            self._variables.append(f"{_AGENT}={target}")
        self._agents += 1
        return bind(target, path, writable=True)

    def _script(self, script: Script) -> list[dict[str, Any]]:
        directory = f"{self._private}/pipes"
        is_first = files.make_directory(directory, 0o755)
        write_file(f"{directory}/{script.name}", script.content, mode=0o755)
        return [bind(_PIPES, directory, writable=False)] if is_first else []

    def _caches(self, wanted: Iterable[Cache]) -> dict[str, str]:
        """The directory of each cache by its key; one that is mounted at two places is taken once."""
        by_key = {caches.key(cache): cache for cache in wanted}
        taken = {}
        for key in sorted(by_key):
            cache = by_key[key]
            self._waited = False
            taken[key], lock = caches.claim(self._host.caches, cache, self._fill(cache), self._wait)
            self._stack.callback(_give_back, lock)
            if self._waited:
                # It may have been free because its build was killed: then what that ran still writes to it.
                sweep(self._host)
        return taken

    def _wait(self) -> None:
        self._tick()
        self._waited = True

    def _fill(self, cache: Cache) -> caches.Fill | None:
        seed = cache.seed
        if seed is None:
            return None

        def fill(target: int) -> None:
            path = self._trees.attached(seed)
            source = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                filling.copy_tree(source, target)
            finally:
                os.close(source)

        return fill

    def _target(self, target: str) -> str:
        path = posixpath.normpath(posixpath.join("/", self._wish.directory, target))
        path = "/" + path.lstrip("/")
        if not target or path == "/" or "\0" in path:
            raise BadTarget(f"invalid mount target {target!r}")
        return path


@contextlib.contextmanager
def _short(directory: str) -> Iterator[str]:
    """Another path of a directory: the address of a socket has 107 bytes at most."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _give_back(lock: int) -> None:
    os.utime(lock)
    files.release(lock)
