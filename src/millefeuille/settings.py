"""Where things are and what the surroundings ask for, as one frozen value.

The faces read the environment and hand it in as a mapping; nothing below them looks at the process's own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.values import dataclass, field

SYSTEM_ROOT: Final = "/var/lib/millefeuille"
SYSTEM_RUN: Final = "/run/millefeuille"
REMEMBERED: Final = "run-directory"  # in the store of an ordinary user: a link to its run directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths are absolute.

    `root` is the store, `run` the directory of what does not outlive a boot, without links in its path, for
    runtimes take no root that is reached through one. `docker_config` is the directory
    of Docker's `config.json`, `platform` the platform to prefer (`DOCKER_DEFAULT_PLATFORM`), "" for none,
    `snapshotter` the driver to use (`MILLE_SNAPSHOTTER`), "" for whichever works.
    `environment` is what these were read from, for the stations that read a part of their own: proxies,
    credentials, registry configuration. It may hold secrets.
    """

    root: str
    run: str
    home: str
    docker_config: str
    platform: str
    snapshotter: str = ""
    environment: Mapping[str, str] = field(repr=False)


def settle(
    environment: Mapping[str, str], *, uid: int, home: str, root: str = "", docker_config: str = ""
) -> Settings:
    """The settings of user `uid` with home directory `home`; `root` and `docker_config` are options given."""
    chosen = os.path.abspath(root or environment.get("MILLE_ROOT") or _default_root(environment, uid, home))
    config = docker_config or environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    return Settings(
        root=chosen,
        run=os.path.realpath(_run_directory(environment, uid, chosen)),
        home=home,
        docker_config=os.path.abspath(config),
        platform=environment.get("DOCKER_DEFAULT_PLATFORM", ""),
        snapshotter=environment.get("MILLE_SNAPSHOTTER", ""),
        environment={**environment, "DOCKER_CONFIG": os.path.abspath(config)},
    )


def _default_root(environment: Mapping[str, str], uid: int, home: str) -> str:
    if uid == 0:
        return SYSTEM_ROOT
    data = _absolute(environment, "XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(data, "millefeuille")


def _run_directory(environment: Mapping[str, str], uid: int, root: str) -> str:
    # A command that a monitor calls is root in an ordinary user's namespace, and would take another one.
    told = environment.get("MILLE_RUN")
    if told:
        return told
    if uid == 0:
        return SYSTEM_RUN
    # Sessions differ in the variable, and are to find the same containers.
    known = remembered(root, uid)
    if known:
        return known
    runtime = _absolute(environment, "XDG_RUNTIME_DIR")
    return os.path.join(runtime, "millefeuille") if runtime else os.path.join(root, "run")


def remembered(root: str, uid: int) -> str:
    """The run directory that the store at `root` was used with last; "" when there is none of this user's
    any more.
    """
    try:
        path = os.readlink(os.path.join(root, REMEMBERED))
        status = os.stat(path)
    except OSError:
        return ""
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == uid
    return path if is_ours and os.path.isabs(path) else ""


def _absolute(environment: Mapping[str, str], name: str) -> str:
    # The XDG base directory specification: a relative path is invalid and to be ignored.
    path = environment.get(name, "")
    return path if os.path.isabs(path) else ""
