"""Request: what one build is asked for, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Where a secret's bytes come from: a variable of the client's, which has that value, or a file.

    `data` are those of a file that can be read once only, as a pipe.
    """

    variable: str = ""
    value: str = field(default="", repr=False)
    path: str = ""
    data: bytes | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """The secret itself. Raises OSError."""
        if self.data is not None:
            return self.data
        if self.variable:
            return os.fsencode(self.value)
        with open(self.path, "rb") as file:
            return file.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to build, and how; the Dockerfile, the context and the outputs are handed in beside it.

    `target` is a stage's name or number, "" the last one. `epoch` is seconds since 1970. `no_cache` lists the
    stages to build anew: None for none, empty for all. `hosts` are (name, address); `ulimits` and `resources`
    have the words of Docker's HostConfig. `agents` are sockets by ID; `keys` files with keys for an agent of
    the build's own, by its ID. With `keep_failed`, the root of a command that failed stays.
    """

    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    epoch: int | None = None
    no_cache: frozenset[str] | None = None
    network: str = "default"
    hosts: tuple[tuple[str, str], ...] = ()
    shm_size: int = 0
    ulimits: tuple[Mapping[str, Any], ...] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    explain: bool = False
    keep_failed: bool = False

    def renews(self, stage: str) -> bool:
        """Whether the steps of a stage are to be made anew."""
        return self.no_cache is not None and (not self.no_cache or stage.lower() in self.no_cache)
