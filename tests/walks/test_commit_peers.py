"""`docker diff`, `commit` and `export` beside ours: after the same script the same words and trees."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.layers.overlays import Words, merged

from millefeuille.testing.images import MadeImage, write_docker_archive
from millefeuille.testing.servers import ServerMissing, dockerd

pytestmark = pytest.mark.walk

SCRIPT = """
echo hi > /new; mkdir /etc/x; rm /etc/group; mkdir -p /a/b/c; touch /a/b/f; rm -rf /root; mkdir /root
echo x > /root/y; chmod 700 /tmp; touch /bin; ln -s /etc/passwd /lnk; ln /new /new2; mkfifo /pipe
chown 5:6 /etc/passwd; mknod /null c 1 3; rm /bin/vi; true
"""
COMMIT = (
    "-a", "me", "-m", "a message", "-c", "ENV X=1", "-c", 'ENTRYPOINT ["sh"]', "-c", "EXPOSE 80/tcp",
    "-c", "LABEL a=b", "-c", "USER 5", "-c", "WORKDIR /a",
)  # fmt: skip
# In the config of an image that Docker commits, but not in ours: the container's own.
DOCKERS = {
    "Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin", "StdinOnce",
    "Image",
}  # fmt: skip
STUBS = {b".dockerenv", b"dev/console", b"dev/pts", b"dev/shm", b"etc/hostname", b"etc/hosts", b"etc/mtab",
         b"etc/resolv.conf"}  # fmt: skip


@dataclass
class Engine:
    """One command line."""

    run: Callable[..., subprocess.CompletedProcess[bytes]]

    def out(self, *words: str) -> bytes:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def saved(self, name: str) -> tuple[dict[str, Any], list[bytes]]:
        """An image's config and its layers."""
        with tarfile.open(fileobj=io.BytesIO(self.out("save", name))) as archive:

            def read(member: str) -> bytes:
                file = archive.extractfile(member)
                assert file is not None
                return file.read()

            (entry,) = json.loads(read("manifest.json"))
            blobs = map(read, entry["Layers"])
            tars = [gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob for blob in blobs]
            return json.loads(read(entry["Config"])), tars


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory, busybox: MadeImage) -> Iterator[tuple[Engine, Engine]]:
    """Docker's and ours, each with a container `one` that has run the script."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    top = tmp_path_factory.mktemp("peers")
    archive = top / "busybox.tar"
    write_docker_archive(busybox, archive, "busybox:1")

    def command(*prefix: str) -> Engine:
        return Engine(
            lambda *words, **more: subprocess.run([*prefix, *words], capture_output=True, check=False, **more)
        )

    try:
        with dockerd(top / "dockerd") as server:
            pair = (
                command("docker", "--host", server.host),
                command(sys.executable, "-I", "-m", "millefeuille", "--root", str(top / "store")),
            )  # fmt: skip
            for engine in pair:
                engine.out("load", "-i", str(archive))
                words = ("run", "--network", "none", "--name", "one", "-v", "/vol", "busybox:1")
                engine.out(*words, "sh", "-c", SCRIPT)
            yield pair
            pair[1].out("rm", "-f", "one")
    except ServerMissing as missing:
        pytest.skip(str(missing))


def test_diff(engines: tuple[Engine, Engine]) -> None:
    docker, ours = (engine.out("diff", "one").decode().splitlines() for engine in engines)
    assert sorted(ours) == sorted(docker)
    paths = [line[2:] for line in ours]
    assert all(os.path.dirname(path) in ("/", *paths[:n]) for n, path in enumerate(paths))


def test_the_config_of_a_commit(engines: tuple[Engine, Engine]) -> None:
    for engine in engines:
        engine.out("commit", *COMMIT, "one", "kid:1")
    docker, ours = (engine.saved("kid:1")[0] for engine in engines)
    assert set(docker) - set(ours) == {"container", "container_config", "docker_version"}
    assert set(ours) <= set(docker)
    for config in (docker, ours):
        steps = config["history"]
        assert steps[-1].pop("created") == config.pop("created")
    assert ours["history"] == docker["history"]
    expected = {key: value for key, value in docker["config"].items() if key not in DOCKERS and value}
    assert ours["config"] == expected
    assert [ours[key] for key in ("architecture", "os", "author")] == [
        docker[key] for key in ("architecture", "os", "author")
    ]  # fmt: skip


def test_the_layers_of_a_commit_show_the_same_tree(engines: tuple[Engine, Engine]) -> None:
    for engine in engines:
        engine.out("commit", "one", "kid:2")
    docker, ours = (merged(*engine.saved("kid:2")[1]) for engine in engines)
    assert timeless(ours) == timeless(docker)


def test_an_export_has_the_same_entries(engines: tuple[Engine, Engine]) -> None:
    docker, ours = (timeless(merged(engine.out("export", "one"))) for engine in engines)
    assert ours.keys() == docker.keys()
    # Docker gives a file the mode of the last hard link to it in the image's tar; those of busybox say 0777.
    assert {path: words for path, words in ours.items() if not path.startswith(b"bin/")} == {
        path: words for path, words in docker.items() if not path.startswith(b"bin/")
    }


def test_docker_keeps_the_capabilities_of_a_file_with_several_names(
    engines: tuple[Engine, Engine], tmp_path: Path
) -> None:
    docker, ours = engines
    capability = {"SCHILY.xattr.security.capability": "\x01\0\0\x02\0\x04" + "\0" * 14}
    with tarfile.open(tmp_path / "tar", "w", format=tarfile.PAX_FORMAT) as archive:
        first, second = tarfile.TarInfo("ping"), tarfile.TarInfo("ping4")
        first.pax_headers = capability
        second.type, second.linkname = tarfile.LNKTYPE, "ping"
        for member in (first, second):
            archive.addfile(member)
    ours.out("create", "--name", "capable", "busybox:1")
    with open(tmp_path / "tar", "rb") as tar:
        assert ours.run("cp", "-", "capable:/", stdin=tar).returncode == 0
    ours.out("commit", "capable", "capable:1")
    ours.out("rm", "capable")
    ours.out("save", "-o", str(tmp_path / "image.tar"), "capable:1")
    docker.out("load", "-i", str(tmp_path / "image.tar"))
    docker.out("create", "--name", "capable", "capable:1", "true")
    with tarfile.open(fileobj=io.BytesIO(docker.out("cp", "capable:/ping4", "-"))) as archive:
        assert [member.pax_headers for member in archive] == [capability]


def test_a_running_container_is_exported_like_a_stopped_one(engines: tuple[Engine, Engine]) -> None:
    _, ours = engines
    ours.out("run", "-d", "--network", "none", "--name", "two", "-v", "/etc", "busybox:1", "sh", "-c",
             "echo x > /x; sleep 100")  # fmt: skip
    deadline = time.monotonic() + 10
    while b"A /x" not in ours.out("diff", "two") and time.monotonic() < deadline:
        time.sleep(0.05)
    running = ours.out("export", "two")
    ours.out("commit", "two", "kid:3")
    ours.out("kill", "two")  # it runs, and is not paused
    assert ours.out("export", "two") == running
    ours.out("rm", "-f", "two")
    assert b"x" in ours.out("run", "--rm", "kid:3", "ls", "/")


@pytest.mark.parametrize(
    "words",
    [
        ("diff", "nosuch"), ("commit", "nosuch"), ("export", "nosuch"), ("diff", ""), ("diff",),
        ("export",), ("commit",), ("commit", "a", "b", "c"), ("export", "-o", "/", "one"),
        ("export", "-o", "/no/x", "one"), ("export", "-o", "/dev/null", "one"), ("commit", "one", "BAD"),
        ("commit", "one", "x@sha256:" + "0" * 64), ("commit", "--help"), ("diff", "--help"),
        ("export", "--help"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_same_words(engines: tuple[Engine, Engine], words: tuple[str, ...]) -> None:
    docker, ours = (engine.run(*words) for engine in engines)
    assert ours.returncode == docker.returncode

    def plain(done: subprocess.CompletedProcess[bytes]) -> str:
        text = (done.stdout + done.stderr).decode()
        return text.replace("Error response from daemon: ", "Error: ").replace("docker", "mille")

    assert plain(ours) == plain(docker)


def timeless(words: Words) -> dict[bytes, object]:
    """A tree without the times of what the script made, and without what engines make for mounts."""
    return {
        path: (mode, uid, gid, data, first, xattrs)
        for path, (mode, uid, gid, _, data, first, xattrs) in words.items()
        if path not in STUBS
    }
