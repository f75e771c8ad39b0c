"""What of a build context says how it is built: its Dockerfile, and its ignore file."""

from __future__ import annotations

import os

from millefeuille.annotations import Final, NamedTuple
from millefeuille.build.sources import ignore
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.errors import Invalid, NotFound

MAXIMUM: Final = 64 << 20  # bytes


class NoDockerfile(NotFound):
    """There is no Dockerfile where one was looked for."""


class NoDockerfileButDirectory(Invalid):
    """What is named as a Dockerfile is a directory."""


class Written(NamedTuple):
    """A Dockerfile: its name as errors say it, its bytes, where it lies ("" for standard input)."""

    name: str
    text: bytes
    path: str = ""


def read(directory: str, wanted: str) -> Written:
    """The Dockerfile `wanted`, "" for the own one of the context `directory`.

    Raises NoDockerfile, NoDockerfileButDirectory, OSError.
    """
    names = [wanted] if wanted else [os.path.join(directory, name) for name in ("Dockerfile", "dockerfile")]
    for path in names:
        try:
            with open(path, "rb") as file:
                return Written(os.path.basename(path), file.read(MAXIMUM), path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except IsADirectoryError:
            raise NoDockerfileButDirectory(f"failed to read dockerfile: {path} is a directory") from None
    raise NoDockerfile(
        f"failed to read dockerfile: open {os.path.basename(names[0])}: no such file or directory"
    )


def ignored(directory: str, dockerfile: str) -> Ignore:
    """What is left out of a context: by the ignore file beside the Dockerfile, else by the context's own.

    Raises BadIgnoreFile.
    """
    for path in _ignore_files(directory, dockerfile):
        try:
            with open(path, "rb") as file:
                return Ignore(ignore.parse(file.read(MAXIMUM), os.path.basename(path)))
        except FileNotFoundError:
            continue
    return NOTHING


def ignore_file(directory: str, dockerfile: str) -> str:
    """The ignore file that counts for a build, or would if there were one: by its path from the context on
    where it lies in that, else as the Dockerfile's path is given.
    """
    names = _ignore_files(directory, dockerfile)
    path = next(filter(os.path.lexists, names), names[-1])
    inside = os.path.relpath(path, directory)
    return path if inside.startswith("../") else inside


def _ignore_files(directory: str, dockerfile: str) -> list[str]:
    """Where the patterns may lie, the first that is there counts."""
    own = [f"{dockerfile}.dockerignore"] if dockerfile else []
    return [*own, os.path.join(directory, ".dockerignore")]
