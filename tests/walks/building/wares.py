"""Packages for real images, fetched beforehand with the usual clients, and served on the loopback.

    /debian     a flat repository for apt
    /wheels     a page of links for pip
    /npm        what npm asks a registry for
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import http.server
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from millefeuille.testing.debian import DEBIAN, PackagesMissing, debian_layer, packages
from millefeuille.testing.images import MadeImage, make_image
from millefeuille.testing.servers import program
from millefeuille.testing.tars import MadeLayer, directory_entry, file_entry, make_layer

WHEELS: Final = ("flask==3.0.3",)
NODE_PACKAGES: Final = (
    "chalk@4.1.2", "ansi-styles@4.3.0", "supports-color@7.2.0", "color-convert@2.0.1", "color-name@1.1.4",
    "has-flag@4.0.0", "npm@10.8.2",
)  # fmt: skip
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_WITH_APT: Final = (
    *DEBIAN, "apt", "debconf", "debianutils", "diffutils", "gzip", "init-system-helpers", "libc-bin",
    "login", "mawk", "passwd", "perl-base", "tar",
)  # fmt: skip


def debian(cache: Path, name: str, *more: str) -> MadeImage:
    """A small Debian with these packages, extracted and not set up. Raises PackagesMissing."""
    layers = [debian_layer(cache, "debian-1", [DEBIAN])]
    if more:
        layers.append(debian_layer(cache, f"building-{name}-1", [DEBIAN, more]))
    return make_image(layers, config={"Env": [_PATH], "Cmd": ["bash"]})


def debian_with_apt(cache: Path, directory: Path) -> MadeImage:
    """A Debian whose apt and dpkg know what is installed. Raises PackagesMissing."""
    layer = debian_layer(cache, "building-apt-2", [_WITH_APT])
    return make_image([layer, _status(cache, directory)], config={"Env": [_PATH], "Cmd": ["bash"]})


def _status(cache: Path, directory: Path) -> MadeLayer:
    told = [f"{_control(path)}Status: install ok installed\n\n" for path in packages(cache, _WITH_APT)]
    entries = [
        *map(directory_entry, ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers")),
        *map(directory_entry, ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial", "var/log/apt")),
        directory_entry("tmp", mode=0o1777),
        file_entry("var/lib/dpkg/status", "".join(told).encode()),
        file_entry("etc/apt/apt.conf.d/50root", b'APT::Sandbox::User "root";\n'),
    ]
    for path in packages(cache, _WITH_APT):
        name = next(line for line in _control(path).splitlines() if line.startswith("Package:")).split()[1]
        entries.append(file_entry(f"var/lib/dpkg/info/{name}.list", b""))
    return make_layer(directory / "status.tar.gz", entries)


def _control(path: Path) -> str:
    return subprocess.run(
        [program("dpkg-deb"), "-f", str(path)], check=True, capture_output=True, text=True
    ).stdout


def apt_repository(directory: Path, cache: Path, names: Sequence[str]) -> None:
    """Links to the .deb files of these packages and all they need, and the list of them."""
    directory.mkdir(parents=True)
    listed = []
    for number, path in enumerate(packages(cache, names)):
        name = f"{number}.deb"  # their own names hold characters that URLs escape
        (directory / name).symlink_to(path)
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        where = f"Filename: ./{name}\nSize: {len(data)}\nSHA256: {digest}\n"
        listed.append(f"{_control(path)}{where}\n")
    (directory / "Packages").write_text("".join(listed))


def wheels(directory: Path, cache: Path) -> None:
    """The wheels, and a page that names them. Raises PackagesMissing."""
    kept = cache / "wheels"
    if not kept.is_dir():
        _fetched([sys.executable, "-m", "pip", "download", "-q", "-d", str(kept), *WHEELS])
    directory.symlink_to(kept)


def npm_registry(directory: Path, cache: Path, url: str) -> None:
    """Documents and archives as npm asks for them. Raises PackagesMissing."""
    kept = cache / "npm-2"
    if not kept.is_dir():
        kept.mkdir(parents=True)
        _fetched([program("npm"), "pack", "--silent", "--pack-destination", str(kept), *NODE_PACKAGES])
    directory.mkdir()
    for archive in kept.glob("*.tgz"):
        (directory / archive.name).symlink_to(archive)
        document = _node_document(archive.read_bytes(), f"{url}/npm/{archive.name}")
        (directory / document["name"]).write_text(json.dumps(document))


def _node_document(data: bytes, url: str) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile("package/package.json")
        assert file is not None
        package = json.load(file)
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    package["dist"] = {"tarball": url, "integrity": f"sha512-{digest}"}
    version = package["version"]
    return {"name": package["name"], "dist-tags": {"latest": version}, "versions": {version: package}}


def _fetched(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagesMissing(f"{command[0]} cannot fetch packages: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def served(directory: Path) -> Iterator[str]:
    """The files below a directory, on the loopback; the URL of the directory."""
    handler = functools.partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
