"""Archives between this engine and the others: what each writes, all can read."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.transfer.archive.conftest import docker_archive, layout_archive, made

from millefeuille.store.check import check
from millefeuille.store.store import Store
from millefeuille.testing.images import MadeImage, digest_of
from millefeuille.testing.servers import DockerServer, ServerMissing, program

pytestmark = pytest.mark.walk


def _peer(name: str) -> str:
    try:
        return program(name)
    except ServerMissing as missing:
        pytest.skip(str(missing))


class Engine:
    """The command line on a store of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "millefeuille", "--root", str(self.root), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=False)

    def ok(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        return done.stdout.decode()

    def images(self) -> dict[str, str]:
        """Image IDs by name."""
        lines = self.ok("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
        return dict(tuple(line.split(" ")) for line in lines)  # type: ignore[misc]  # two words a line


@pytest.fixture
def mille(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "store")


@pytest.fixture
def other(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "other")


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[list[str]]:
    """Podman with a store of its own."""
    with tempfile.TemporaryDirectory(prefix="podman-") as run:  # podman wants a short path there
        command = [_peer("podman"), "--root", str(tmp_path / "podman"), "--runroot", run]
        command += ["--storage-driver", "vfs"]
        yield command
        subprocess.run([*command, "rmi", "--all", "--force"], capture_output=True, check=False)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _docker(server: DockerServer, *arguments: str) -> str:
    return _run([_peer("docker"), "--host", server.host, *arguments])


@pytest.fixture(params=["gzip", "zstd", ""], ids=["gzip", "zstd", "plain"])
def image(tmp_path: Path, mille: Engine, request: pytest.FixtureRequest) -> MadeImage:
    """An image with Docker's media types, loaded as docker.io/library/some:1."""
    image = made(tmp_path, request.param)
    path = layout_archive(image, tmp_path / "in.tar", name="docker.io/library/some:1", kind="docker")
    assert mille.ok("load", "-i", str(path)) == "Loaded image: some:1\n"
    return image


def test_skopeo_reads_both_forms(tmp_path: Path, mille: Engine, image: MadeImage) -> None:
    skopeo = _peer("skopeo")
    forms = [("docker", "docker-archive"), ("oci", "oci-archive")]
    # It knows no zstd layers under Docker's media types, and those stay in a form that changes nothing.
    forms += [("docker", "oci-archive")] if image.layers[0].compression != "zstd" else []
    for form, transport in forms:
        path = tmp_path / f"{transport}-{form}.tar"
        mille.ok("save", "--format", form, "-o", str(path), "some:1")
        target = tmp_path / f"{transport}-{form}.dir"
        _run([skopeo, "copy", "--quiet", f"{transport}:{path}", f"dir:{target}"])
        manifest = json.loads((target / "manifest.json").read_text())
        assert manifest["config"]["digest"] == image.id
        config = json.loads((target / image.id[7:]).read_text())
        assert config["rootfs"]["diff_ids"] == [layer.diff_id for layer in image.layers]
        if transport == "oci-archive":
            assert [layer["digest"] for layer in manifest["layers"]] == [x.digest for x in image.layers]


def test_podman_reads_both_forms(tmp_path: Path, mille: Engine, image: MadeImage, podman: list[str]) -> None:
    for form in ("docker", "oci"):
        path = tmp_path / f"{form}.tar"
        mille.ok("save", "--format", form, "-o", str(path), "some:1")
        _run([*podman, "load", "--quiet", "--input", str(path)])
        assert _run([*podman, "images", "--quiet", "--no-trunc"]).split() == [image.id]
        _run([*podman, "rmi", "--all", "--force"])


def test_docker_reads_what_is_saved_and_its_own_archive_is_read(
    tmp_path: Path, mille: Engine, other: Engine, docker_server: DockerServer
) -> None:
    for compression in ("gzip", ""):  # Docker before 23 reads no zstd
        image = made(tmp_path, compression, text=compression or "plain")
        name = f"some:{compression or 'plain'}"
        archive = layout_archive(image, tmp_path / f"{compression}.tar", name=name, kind="docker")
        mille.ok("load", "-i", str(archive))
        saved = tmp_path / f"saved-{compression}.tar"
        mille.ok("save", "-o", str(saved), name)
        assert _docker(docker_server, "load", "-i", str(saved)) == f"Loaded image: {name}\n"
    mine = mille.images()
    listed = _docker(
        docker_server, "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"
    ).splitlines()
    assert dict(line.split(" ") for line in listed) == mine
    theirs = tmp_path / "docker.tar"
    _docker(docker_server, "save", "-o", str(theirs), "some")
    assert sorted(other.ok("load", "-i", str(theirs)).splitlines()) == sorted(
        f"Loaded image: {name}" for name in mine
    )
    assert other.images() == mine


def test_an_archive_of_dockers_first_kind_has_the_id_that_docker_gives_it(
    tmp_path: Path, mille: Engine, docker_server: DockerServer
) -> None:
    layers = made(tmp_path, "").layers
    path = tmp_path / "old.tar"
    parent = ""
    with tarfile.open(path, "w") as archive:
        for n, layer in enumerate(layers):
            identifier = hashlib.sha256(b"%d" % n).hexdigest()
            fields = {
                "id": identifier, "created": "2015-06-01T10:00:00.123456789Z", "os": "linux",
                "architecture": "amd64", "author": "A <a@b>", "Size": 7, "docker_version": "1.9.1",
                "config": {"Cmd": ["a", "<&>", "é"], "Env": None, "Labels": {}}, "container": "c" * 64,
                "container_config": {"Cmd": ["/bin/sh", "-c", f"#(nop) ADD {n} > é"]},
            } | ({"parent": parent} if parent else {})  # fmt: skip
            _add(archive, tmp_path, f"{identifier}/VERSION", b"1.0")
            _add(archive, tmp_path, f"{identifier}/json", json.dumps(fields, ensure_ascii=False).encode())
            archive.add(layer.path, f"{identifier}/layer.tar")
            parent = identifier
        _add(archive, tmp_path, "repositories", json.dumps({"old": {"1": parent}}).encode())
    _docker(docker_server, "load", "-q", "-i", str(path))
    mille.ok("load", "-q", "-i", str(path))
    expected = _docker(docker_server, "images", "--quiet", "--no-trunc").split()
    assert [*mille.images().values()] == expected


def _add(archive: tarfile.TarFile, directory: Path, name: str, data: bytes) -> None:
    file = directory / "member"
    file.write_bytes(data)
    archive.add(file, name)


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_what_skopeo_writes_is_read(tmp_path: Path, mille: Engine, other: Engine, transport: str) -> None:
    skopeo, image = _peer("skopeo"), made(tmp_path, "gzip")
    layout_archive(image, tmp_path / "in.tar", name="latest")
    path = tmp_path / "skopeo.tar"
    source = f"oci:{tmp_path / 'in.layout'}:latest"
    _run([skopeo, "copy", "--quiet", source, f"{transport}:{path}:some/name:tag"])
    assert other.ok("load", "-i", str(path)) == "Loaded image: some/name:tag\n"
    assert other.images() == {"some/name:tag": image.id}


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_what_podman_writes_is_read(tmp_path: Path, mille: Engine, podman: list[str], form: str) -> None:
    image = made(tmp_path, "")
    source = docker_archive(image, tmp_path / "in.tar", "example.com/some:1")
    _run([*podman, "load", "--quiet", "--input", str(source)])
    path = tmp_path / "podman.tar"
    _run([*podman, "save", "--quiet", "--format", form, "-o", str(path), "example.com/some:1"])
    assert mille.ok("load", "-i", str(path)) == "Loaded image: example.com/some:1\n"
    # Podman writes the config anew where it changes the format.
    with tarfile.open(path) as archive:
        blobs = {digest_of(f.read()) for member in archive if (f := archive.extractfile(member))}
    [found] = mille.images().values()
    assert found in blobs
    assert form == "oci-archive" or found == image.id


def test_save_to_a_pipe_and_load_from_one(mille: Engine, other: Engine, image: MadeImage) -> None:
    saved = mille.run("save", "some:1")
    assert (saved.returncode, saved.stderr) == (0, b"")
    loaded = other.run("load", stdin=saved.stdout)
    assert (loaded.returncode, loaded.stdout, loaded.stderr) == (0, b"Loaded image: some:1\n", b"")
    assert other.images() == {"some:1": image.id}
    raw = image.manifest("docker")
    assert (other.root / "blobs/sha256" / digest_of(raw)[7:]).read_bytes() == raw
    again = other.run("save", "some:1")
    assert again.stdout == saved.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["load"], b"garbage\n", "unexpected EOF\n"),
        (["load", "-i", "/nonexistent"], None, "open /nonexistent: no such file or directory\n"),
        (["save", "nosuch"], None, "Error: No such image: nosuch\n"),
        (["save", "nosuch", "-o", "/nonexistent/x"], None,
         'failed to save image: invalid output path: stat /nonexistent: no such file or directory\n'),
        (["save", "nosuch", "-o", "/"], None, "failed to save image: cannot write to a directory\n"),
        (["save", "nosuch", "-o", "/dev/null"], None,
         "failed to save image: cannot write to a character device file\n"),
        (["load", "-i", "/"], None, "read /: is a directory\n"),
        (["load", "--platform", "a/b/c/d", "-i", "/nonexistent"], None,
         '"a/b/c/d": cannot parse platform specifier: invalid argument\n'),
        (["save", "--format", "zip", "some:1"], None,
         'unknown archive format "zip"\nThe formats are docker and oci.\n'),
        (["save", "--platform", "linux/arm64", "some:1"], None,
         "Error: no suitable export target found for platform linux/arm64\n"),
        (["import", ""], b"", "open : no such file or directory\n"),
        (["import", "-", f"x:1@sha256:{'0' * 64}"], b"", "Error: cannot import digest reference\n"),
        (["import", "/nonexistent"], None, "open /nonexistent: no such file or directory\n"),
        (["import", "-c", "FROM x", "-"], b"", "Error: FROM is not a valid change command\n"),
    ],
)  # fmt: skip
def test_errors_are_dockers(
    tmp_path: Path, mille: Engine, arguments: list[str], stdin: bytes | None, message: str
) -> None:
    path = docker_archive(made(tmp_path, ""), tmp_path / "in.tar", "some:1")
    mille.ok("load", "-i", str(path))
    done = mille.run(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["save", "some:1"], "cowardly refusing to save to a terminal. Use the -o flag or redirect"),
        (["load"], "requested load from stdin, but stdin is empty"),
    ],
)
def test_archives_do_not_go_through_a_terminal(mille: Engine, arguments: list[str], message: str) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "millefeuille", "--root", str(mille.root), *arguments]
    done = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert (done.returncode, done.stderr.decode()) == (1, f"{message}\n")


def test_the_lines_of_load_are_dockers(tmp_path: Path, mille: Engine) -> None:
    one, two = made(tmp_path, "", text="one"), made(tmp_path, "", text="two")
    mille.ok("load", "-i", str(docker_archive(one, tmp_path / "1.tar", "some:1", "some:2")))
    assert mille.ok("load", "-i", str(docker_archive(two, tmp_path / "2.tar", "some:1"))) == (
        f"The image some:1 already exists, renaming the old one with ID {one.id} to empty string\n"
        "Loaded image: some:1\n"
    )
    nameless = docker_archive(made(tmp_path, "", text="three"), tmp_path / "3.tar")
    assert mille.ok("load", "-i", str(nameless)).startswith("Loaded image ID: sha256:")
    assert mille.ok("load", "-i", str(nameless), "--platform", "linux/arm64") == "\n"


def _killed(mille: Engine, fault: str, *arguments: str) -> int:
    command = [sys.executable, "-m", "millefeuille", "--root", str(mille.root), *arguments]
    environment = {**os.environ, "MILLE_FAULT": fault}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def _operations(tmp_path: Path, mille: Engine, *arguments: str) -> int:
    """How many file operations a command makes."""
    command = [sys.executable, "-m", "millefeuille", "--root", str(mille.root), *arguments]
    environment = {**os.environ, "MILLE_FAULT_TRACE": str(tmp_path / "trace")}
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return len((tmp_path / "trace").read_text().splitlines())


def test_a_save_that_is_killed_anywhere_leaves_no_file_of_that_name(
    tmp_path: Path, mille: Engine, all_cases: bool
) -> None:
    path = docker_archive(made(tmp_path, ""), tmp_path / "in.tar", "some:1")
    mille.ok("load", "-i", str(path))
    target = tmp_path / "saved.tar"
    save = ("save", "-o", str(target), "some:1")
    count = _operations(tmp_path, mille, *save)
    whole = target.read_bytes()
    for number in range(1, count + 1, 1 if all_cases else 5):
        target.unlink(missing_ok=True)
        assert _killed(mille, f"*:{number}:kill", *save) == -signal.SIGKILL
        assert not target.exists() or target.read_bytes() == whole
    assert mille.ok(*save) == ""
    assert target.read_bytes() == whole


def test_a_load_that_is_killed_anywhere_leaves_all_of_the_image_or_none(
    tmp_path: Path, mille: Engine, all_cases: bool
) -> None:
    image = made(tmp_path, "")
    path = docker_archive(image, tmp_path / "in.tar", "some:1", "some:2")
    load = ("load", "-i", str(path))
    count = _operations(tmp_path, Engine(tmp_path / "counted"), *load)
    for number in range(1, count + 1, 1 if all_cases else 13):
        store = Engine(tmp_path / f"store-{number}")
        assert _killed(store, f"*:{number}:kill", *load) == -signal.SIGKILL
        if (store.root / "db.sqlite").exists():
            assert store.images() in ({}, {"some:1": image.id, "some:2": image.id})
        assert store.ok(*load) == "Loaded image: some:1\nLoaded image: some:2\n"
        assert store.images() == {"some:1": image.id, "some:2": image.id}
        assert check(Store(str(store.root)), data=True).problems == ()


def test_a_load_that_is_killed_leaves_no_image_and_can_be_repeated(tmp_path: Path, mille: Engine) -> None:
    image = made(tmp_path, "")
    path = docker_archive(image, tmp_path / "in.tar", "some:1")
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "millefeuille", "--root", str(mille.root), "load"]
    with subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE) as process:
        os.close(reader)
        data = path.read_bytes()
        os.write(writer, data[: len(data) // 2])
        deadline = time.monotonic() + 30
        while not (mille.root / "ingest").is_dir() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        os.close(writer)
    assert not list((mille.root / "ingest").iterdir())
    assert mille.ok("load", "-i", str(path)) == "Loaded image: some:1\n"
    assert mille.images() == {"some:1": image.id}


def test_an_import_with_an_empty_name_has_none(tmp_path: Path, mille: Engine) -> None:
    with tarfile.open(tmp_path / "root.tar", "w"):
        pass
    made = mille.ok("import", str(tmp_path / "root.tar"), "").strip()
    assert mille.ok("inspect", "-f", "{{.Id}} {{json .RepoTags}}", made) == f"{made} []\n"
