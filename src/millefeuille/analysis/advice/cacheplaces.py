"""Cache places: where variables of an image have package managers keep what they do for the next time."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.annotations import Final, NamedTuple


class CachePlace(NamedTuple):
    """A directory, by its path from the root on, and the pattern of the commands that use it."""

    path: str
    tool: str


# By the variable, what of the directory that it names is a cache; "" for all of it.
_PLACES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "PIP_CACHE_DIR": (r"pip3?|python3? -m pip", ("",)),
    "UV_CACHE_DIR": (r"uv", ("",)),
    "POETRY_CACHE_DIR": (r"poetry", ("cache", "artifacts")),  # beside which there are virtual environments
    "PIPENV_CACHE_DIR": (r"pipenv", ("",)),
    "NPM_CONFIG_CACHE": (r"np[mx]", ("",)),
    "YARN_CACHE_FOLDER": (r"yarn", ("",)),
    "BUN_INSTALL_CACHE_DIR": (r"bun", ("",)),
    "GOCACHE": (r"go", ("",)),
    "GOMODCACHE": (r"go", ("",)),
    "GOPATH": (r"go", ("pkg/mod",)),
    "CARGO_HOME": (r"cargo", ("registry", "git")),  # beside which there are programs, as with the next ones
    "GRADLE_USER_HOME": (r"gradlew?", ("caches", "wrapper/dists")),
    "COMPOSER_HOME": (r"composer", ("cache",)),
    "COMPOSER_CACHE_DIR": (r"composer", ("",)),
    "NUGET_PACKAGES": (r"dotnet", ("",)),
    "CCACHE_DIR": (r"ccache|make|cmake|ninja", ("",)),
}
# What more than a cache is in.
_SHARED: Final = frozenset(
    "app bin boot code dev etc home lib lib64 media mnt opt proc root run sbin srv src sys tmp usr usr/bin"
    " usr/lib usr/local usr/local/bin usr/local/lib usr/share usr/src var var/cache var/lib var/log var/tmp"
    " var/www workspace".split()
)


def cache_places(environment: Sequence[str], working: str) -> Iterator[CachePlace]:
    """The caches that variables name, each NAME=VALUE, of an image whose working directory is `working`."""
    values = {name.upper(): value for name, _, value in (pair.partition("=") for pair in environment)}
    for name, (tool, parts) in _PLACES.items():
        value = values.get(name, "")
        for part in parts if value.startswith("/") and ":" not in value else ():
            path = posixpath.normpath(posixpath.join(value, part)).strip("/")
            is_above = (working.strip("/") + "/").startswith(path + "/")
            if path and path not in _SHARED and not is_above and not set(path) & set(" ,\"'$\\"):
                yield CachePlace(path, tool)
