"""The image that most rows move: a Debian with compilers, a Python tree and a Node tree.

It holds at least 1 GB in at least 50,000 files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from millefeuille.errors import Unavailable
from millefeuille.testing.debian import DEBIAN, cached_layer, debian_layer
from millefeuille.testing.images import MadeImage, Step, make_image
from millefeuille.testing.servers import program
from millefeuille.testing.tars import MadeLayer, directory_entries, make_layer

_SYSTEM: Final = ("build-essential", "git", "golang-go", "python3-dev", "nodejs")
_PYTHON: Final = ("django", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy", "sympy", "sqlalchemy")
_NODE: Final = ("react-scripts", "typescript", "webpack", "eslint", "date-fns", "lodash", "rxjs")


class ToolFailed(Unavailable):
    """A package client could not fetch what the image is made of."""


def large_image(cache: Path) -> MadeImage:
    """The image, from `cache` when it was made before; making it takes some minutes."""
    layers = [
        debian_layer(cache, "debian-1", [DEBIAN]),
        debian_layer(cache, "bench-1-system", [DEBIAN, _SYSTEM]),
        cached_layer(cache, "bench-1-python", _tree_layer(_install_python)),
        cached_layer(cache, "bench-1-node", _tree_layer(_install_node)),
    ]
    texts = ("ADD debian", "RUN apt-get install", "RUN pip install", "RUN npm install")
    steps = [Step(text) for text in texts]
    return make_image(layers, config={"Cmd": ["bash"]}, steps=steps)


def weigh(image: MadeImage) -> tuple[int, int]:
    """The uncompressed bytes and the number of regular files of an image's layers."""
    size = files = 0
    for layer in image.layers:
        with tarfile.open(layer.path) as archive:
            for member in archive:
                files += member.isreg()
            size += archive.offset
    return size, files


def _tree_layer(install: Callable[[Path], None]) -> Callable[[Path], MadeLayer]:
    def make(path: Path) -> MadeLayer:
        with tempfile.TemporaryDirectory(prefix="mille-bench-") as root:
            install(Path(root))
            return make_layer(path, directory_entries(Path(root)))

    return make


def _install_python(root: Path) -> None:
    target = root / "usr/local/lib/python3/site-packages"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:")
    _run([*pip, "--target", str(target), *_PYTHON], root)


def _install_node(root: Path) -> None:
    target = root / "srv/app"
    target.mkdir(parents=True)
    (target / "package.json").write_text(json.dumps({"name": "app", "version": "1.0.0", "private": True}))
    npm = (program("npm"), "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund")
    _run([*npm, *_NODE], target)


def _run(command: Sequence[str], directory: Path) -> None:
    done = subprocess.run(
        command,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolFailed(f"{command[0]} failed: {done.stdout.strip()[-300:]}")
