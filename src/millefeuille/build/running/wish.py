"""What a RUN asks for, as values. Whoever plans a build makes them; nothing here touches a disk."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final, Literal
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass, field

HOSTNAME: Final = "buildkitsandbox"

Network = Literal["default", "none", "host"]
Security = Literal["sandbox", "insecure"]
Sharing = Literal["shared", "private", "locked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTree:
    """A file or directory of the host's, `path` below the absolute `root`, which no link leads out of.

    `hidden` are paths below `root` that must not be seen, without a leading slash: what `.dockerignore`
    leaves out. What is below a hidden directory is hidden with it.
    """

    root: str
    path: str = "/"
    hidden: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTree:
    """A file or directory of a stage or an image: `path` in the root that a chain makes (None: empty)."""

    chain: Digest | None
    path: str = "/"


Tree = HostTree | ChainTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """`--mount=type=bind`: a tree at `target`; what is written to one that is `writable` is thrown away."""

    target: str
    source: Tree
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """`--mount=type=cache`: a directory that outlives the build, by `id`, the target when that is "".

    A new one has `mode`, `uid` and `gid`, and begins with what `seed` has; another seed is another cache.
    """

    target: str
    id: str = ""
    sharing: Sharing = "shared"
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    read_only: bool = False
    seed: Tree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """`--mount=type=tmpfs`: an empty directory in memory, of at most `size` bytes; None: the kernel's own
    limit.
    """

    target: str
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """`--mount=type=secret` that was found: `value` in a file at `target`, in the variable `variable`, or in
    both.
    """

    value: bytes = field(repr=False)
    target: str | None = None
    variable: str | None = None
    mode: int = 0o400
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """`--mount=type=ssh` that was found: the agent listening at the host's path `agent`.

    Inside, it is at `target` ("": /run/buildkit/ssh_agent.N), which SSH_AUTH_SOCK says.
    """

    agent: str
    target: str = ""
    mode: int = 0o600
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A heredoc that begins with `#!`: a file that can be run, read-only, at /dev/pipes/`name`."""

    name: str
    content: bytes

    @property
    def target(self) -> str:
        """Where it is, and what to run."""
        return f"/dev/pipes/{self.name}"


RunMount = Bind | Cache | Memory | Secret | Ssh | Script


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWish:
    """One command to run in a new root on the chain `parent` (None: an empty one).

    `environment` holds NAME=VALUE texts, the last of a name counts. `directory` is absolute; targets of
    mounts that are not lie below it. `extra_hosts` are (name, address). `ulimits` and `resources` have the
    words of the HostConfig of Docker's API: [{"Name", "Soft", "Hard"}], and "Memory", "CpuQuota",
    "CgroupParent" and so on. `proxies` are variables that commands see where `environment` has none of the
    name, and that no record keeps.
    """

    parent: Digest | None
    arguments: tuple[str, ...]
    environment: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    directory: str = "/"
    user: str = ""
    mounts: tuple[RunMount, ...] = ()
    network: Network = "default"
    security: Security = "sandbox"
    hostname: str = HOSTNAME
    extra_hosts: tuple[tuple[str, str], ...] = ()
    shm_size: int = 0
    ulimits: tuple[Mapping[str, Any], ...] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
