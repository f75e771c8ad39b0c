"""Layers from Debian's packages: real files, links and modes, without running any package's scripts.

apt-get resolves and downloads as on any Debian machine, but against an empty status file, so a package comes
with all that it needs. Needs no root.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from millefeuille.annotations import Final
from millefeuille.errors import Unavailable
from millefeuille.testing.images import MadeImage, Step, make_image
from millefeuille.testing.servers import ServerMissing, program
from millefeuille.testing.tars import Entry, MadeLayer, directory_entry, file_entry, link_entry, make_layer
from millefeuille.values import asdict

_MERGED: Final = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")  # these live in /usr since Debian 12
DEBIAN: Final = ("base-files", "base-passwd", "bash", "coreutils", "dash", "findutils", "grep", "sed")
_PASSWD: Final = b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
_GROUP: Final = b"root:x:0:\nadm:x:4:\nwww-data:x:33:\n"
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENTRYPOINT: Final = b'#!/bin/sh\nset -e\nfor x in /docker-entrypoint.d/*.sh; do . "$x"; done\nexec "$@"\n'
_TUNE: Final = b"#!/bin/sh\n: worker processes are left to nginx.conf\n"
_SITE: Final = b"server { listen 80; root /usr/share/nginx/html; }\n"


class PackagesMissing(Unavailable):
    """Debian's packages cannot be had on this machine."""


def busybox_image(cache: Path) -> MadeImage:
    """One gzip layer with the busybox of this machine and a link for each of its applets."""
    layer = cached_layer(cache, "busybox-1", lambda path: make_layer(path, _busybox_entries()))
    steps = [Step("BusyBox (static)"), Step('CMD ["sh"]', empty=True)]
    return make_image([layer], config={"Env": [_PATH], "Cmd": ["sh"]}, steps=steps)


def nginx_image(cache: Path) -> MadeImage:
    """Four gzip layers: a small Debian, its nginx, and what starts it with its log on the streams."""
    base = debian_layer(cache, "debian-1", [DEBIAN])
    nginx = debian_layer(cache, "nginx-1", [DEBIAN, ("nginx",)])
    script = file_entry("docker-entrypoint.sh", _ENTRYPOINT, mode=0o755)
    tune = [
        directory_entry("docker-entrypoint.d"),
        file_entry("docker-entrypoint.d/30-tune.sh", _TUNE),
        directory_entry("etc/nginx/conf.d"),
        file_entry("etc/nginx/conf.d/default.conf", _SITE),
        directory_entry("var/log/nginx"),
        link_entry("var/log/nginx/access.log", "/dev/stdout"),
        link_entry("var/log/nginx/error.log", "/dev/stderr"),
    ]
    layers = [
        base,
        nginx,
        cached_layer(cache, "nginx-1-entrypoint", lambda path: make_layer(path, [script])),
        cached_layer(cache, "nginx-3-tune", lambda path: make_layer(path, tune)),
    ]
    config = {
        "Env": [_PATH, "NGINX_VERSION=1.24"],
        "Entrypoint": ["/docker-entrypoint.sh"],
        "Cmd": ["nginx", "-g", "daemon off;"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"maintainer": "nobody@example.org"},
        "StopSignal": "SIGQUIT",
    }
    steps = [
        Step("/bin/sh -c #(nop) ADD file:debian in / "),
        Step("/bin/sh -c #(nop)  ENV NGINX_VERSION=1.24", empty=True),
        Step("/bin/sh -c set -x     && apt-get update     && apt-get install -y nginx"),
        Step("/bin/sh -c #(nop) COPY file:docker-entrypoint.sh in / "),
        Step("/bin/sh -c #(nop) COPY file:30-tune.sh in /docker-entrypoint.d "),
        Step('/bin/sh -c #(nop)  ENTRYPOINT ["/docker-entrypoint.sh"]', empty=True),
        Step("/bin/sh -c #(nop)  EXPOSE 80", empty=True),
        Step("/bin/sh -c #(nop)  STOPSIGNAL SIGQUIT", empty=True),
        Step('/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]', empty=True),
    ]
    return make_image(layers, config=config, steps=steps)


def cached_layer(cache: Path, name: str, make: Callable[[Path], MadeLayer]) -> MadeLayer:
    """The layer called `name` in the directory `cache`; made there when it is not."""
    record, path = cache / f"{name}.json", cache / f"{name}.tar.gz"
    if record.exists() and path.exists():
        return MadeLayer(**json.loads(record.read_text()) | {"path": path})
    cache.mkdir(parents=True, exist_ok=True)
    temporary = cache / f"{name}.{os.getpid()}"
    made = make(temporary)
    temporary.rename(path)
    temporary.write_text(json.dumps(asdict(made) | {"path": str(path)}))
    temporary.rename(record)
    return MadeLayer(**asdict(made) | {"path": path})


def packages(cache: Path, names: Sequence[str]) -> list[Path]:
    """The .deb files of these packages and all that they depend on, downloaded; in the order of their names.

    Raises PackagesMissing.
    """
    downloads, empty = cache / "packages", cache / "no-packages"
    for directory in (downloads, empty):
        (directory / "partial").mkdir(parents=True, exist_ok=True)
    status = empty / "status"
    status.touch()
    command = [
        *(program("apt-get"), "-qq", "--yes", "--no-install-recommends"),
        *("-o", f"Dir::State::status={status}", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"),
    ]
    fetch = [*command, "-o", f"Dir::Cache::archives={downloads}", "--download-only", "install", *names]
    try:
        _apt_run(fetch)
    except PackagesMissing:  # the machine's package lists are absent, or older than what its mirror serves
        if os.geteuid() != 0:
            raise
        _apt_run([program("apt-get"), "-qq", "update"])
        _apt_run(fetch)
    # What is downloaded already is not listed, so the list is asked for where nothing is.
    listed = _apt_run([*command, "-o", f"Dir::Cache::archives={empty}", "--print-uris", "install", *names])
    return sorted(downloads / line.split()[1] for line in listed.splitlines() if line.startswith("'"))


def package_entries(archives: Sequence[Path]) -> Iterator[Entry]:
    """The files of .deb archives under their merged-/usr names; each entry to be read before the next."""
    for archive in archives:
        command = [program("dpkg-deb"), "--fsys-tarfile", str(archive)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdout, mode="r|") as members:
                for member in members:
                    member.name = _merged_name(member.name)
                    if member.islnk():
                        member.linkname = _merged_name(member.linkname)
                    content = members.extractfile(member) if member.isreg() else None
                    yield Entry(header=member, content=content)
        if process.returncode != 0:
            raise PackagesMissing(f"{archive.name} cannot be read by dpkg-deb")


def each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    """These entries without the ones whose name came before, as Docker demands of a layer."""
    seen = {"", *_MERGED}
    for entry in entries:
        name = entry.header.name
        if name not in seen or (name in _MERGED and entry.header.issym()):
            seen.add(name)
            yield entry


def debian_layer(cache: Path, name: str, groups: Sequence[Sequence[str]]) -> MadeLayer:
    """The layer that the last of these groups of packages adds to the ones before it.

    The first group also brings the root's own directories and accounts. Raises PackagesMissing.
    """

    def make(path: Path) -> MadeLayer:
        lower = set(packages(cache, _flat(groups[:-1]))) if groups[1:] else set()
        added = [x for x in packages(cache, _flat(groups)) if x not in lower]
        roots = [] if groups[1:] else _root_entries()
        return make_layer(path, each_once(chain(roots, package_entries(added))))

    return cached_layer(cache, name, make)


def _flat(groups: Sequence[Sequence[str]]) -> list[str]:
    return [name for group in groups for name in group]


def _root_entries() -> Iterator[Entry]:
    for name in ("dev", "etc", "proc", "root", "run", "sys", "usr", *(f"usr/{name}" for name in _MERGED)):
        yield directory_entry(name, mode=0o700 if name == "root" else 0o755)
    for name in _MERGED:
        yield link_entry(name, f"usr/{name}")
    yield file_entry("etc/passwd", _PASSWD)
    yield file_entry("etc/group", _GROUP)


def _merged_name(name: str) -> str:
    plain = name.removeprefix(".").strip("/")
    top, _, rest = plain.partition("/")
    return f"usr/{plain}" if rest and top in _MERGED else plain


def _busybox_entries() -> Iterator[Entry]:
    executable = Path(program("busybox"))
    content = executable.read_bytes()
    if b"/ld-linux" in content[:4096] or b"/ld-musl" in content[:4096]:
        raise ServerMissing("busybox is not the static one", advice="Install the package busybox-static.")
    listed = subprocess.run([executable, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    yield directory_entry("bin")
    yield file_entry("bin/busybox", content, mode=0o755)
    for applet in sorted(set(listed.split()) - {"busybox"}):
        yield link_entry(f"bin/{applet}", "bin/busybox", hard=True)
    for name, mode in (("dev", 0o755), ("etc", 0o755), ("proc", 0o755), ("root", 0o700), ("tmp", 0o1777)):
        yield directory_entry(name, mode=mode)
    yield file_entry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    yield file_entry("etc/group", b"root:x:0:\n")


def _apt_run(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise PackagesMissing(f"apt-get cannot fetch packages: {reason}", advice="Run apt-get update as root.")
