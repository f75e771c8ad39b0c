"""Where things are and what the surroundings ask for, as one frozen value.

The faces read the environment and hand it in as a mapping; nothing below them looks at it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SYSTEM_ROOT: Final = "/var/lib/millefeuille"
SYSTEM_RUN: Final = "/run/millefeuille"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths are absolute; texts are "" where nothing was set.

    `root` is the store, `run` the directory for what does not outlive a boot, `docker_config` the
    directory of Docker's `config.json`, `platform` the platform to prefer (`DOCKER_DEFAULT_PLATFORM`),
    `docker_auth` the credentials of `DOCKER_AUTH_CONFIG` (JSON), `auth_file` that of `REGISTRY_AUTH_FILE`.
    """

    root: str
    run: str
    home: str
    config: str
    runtime: str
    docker_config: str
    docker_auth: str
    auth_file: str
    platform: str
    http_proxy: str
    https_proxy: str
    no_proxy: str


def settle(
    environment: Mapping[str, str], *, uid: int, home: str, root: str = "", docker_config: str = ""
) -> Settings:
    """The settings of user `uid` with home directory `home`; `root` and `docker_config` are options given."""
    chosen = os.path.abspath(root or environment.get("MILLE_ROOT") or _default_root(environment, uid, home))
    runtime = _absolute(environment, "XDG_RUNTIME_DIR")
    return Settings(
        root=chosen,
        run=_run_directory(uid, runtime, chosen),
        home=home,
        config=_absolute(environment, "XDG_CONFIG_HOME") or os.path.join(home, ".config"),
        runtime=runtime,
        docker_config=os.path.abspath(
            docker_config or environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
        ),
        docker_auth=environment.get("DOCKER_AUTH_CONFIG", ""),
        auth_file=environment.get("REGISTRY_AUTH_FILE", ""),
        platform=environment.get("DOCKER_DEFAULT_PLATFORM", ""),
        http_proxy=_http_proxy(environment),
        https_proxy=environment.get("HTTPS_PROXY") or environment.get("https_proxy", ""),
        no_proxy=environment.get("NO_PROXY") or environment.get("no_proxy", ""),
    )


def _default_root(environment: Mapping[str, str], uid: int, home: str) -> str:
    if uid == 0:
        return SYSTEM_ROOT
    data = _absolute(environment, "XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(data, "millefeuille")


def _run_directory(uid: int, runtime: str, root: str) -> str:
    if uid == 0:
        return SYSTEM_RUN
    return os.path.join(runtime, "millefeuille") if runtime else os.path.join(root, "run")


def _absolute(environment: Mapping[str, str], name: str) -> str:
    # The XDG base directory specification: a relative path is invalid and to be ignored.
    path = environment.get(name, "")
    return path if os.path.isabs(path) else ""


def _http_proxy(environment: Mapping[str, str]) -> str:
    # Under CGI a client's header `Proxy:` arrives as HTTP_PROXY (CVE-2016-5385).
    upper = "" if environment.get("REQUEST_METHOD") else environment.get("HTTP_PROXY", "")
    return upper or environment.get("http_proxy", "")
