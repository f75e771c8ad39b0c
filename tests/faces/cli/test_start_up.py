"""What commands load: a plain list of images next to nothing, a container of an image at hand no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

ROOT = Path(__file__).parents[3]

UNWANTED = (
    "asyncio", "backports.zstd", "blake3", "click", "enum", "hashlib", "http", "isal", "json", "msgspec",
    "re", "rich", "socket", "ssl", "subprocess", "textual", "threading", "typing", "urllib3",
    "millefeuille.build", "millefeuille.docker.filters", "millefeuille.docker.template",
    "millefeuille.layers", "millefeuille.registry", "millefeuille.runtime", "millefeuille.snapshots",
    "millefeuille.testing", "millefeuille.transfer",
)  # fmt: skip

# What a container of an image that is here does without: each takes milliseconds to load.
SELDOM = (
    "blake3", "dataclasses", "datetime", "fractions", "hashlib", "inspect", "ipaddress", "json",
    "pathlib", "random", "secrets", "subprocess", "typing", "uuid", "millefeuille.layers",
    "millefeuille.networks.bridges", "millefeuille.networks.making", "millefeuille.networks.ports",
    "millefeuille.networks.rules", "millefeuille.networks.upkeep", "millefeuille.registry",
    "millefeuille.snapshots.erofs.image", "millefeuille.snapshots.overlay.driver",
    "millefeuille.transfer",
)  # fmt: skip

PROGRAM = """
import sys
from millefeuille.faces.cli.main import main
code = main(sys.argv[1:])
print("MODULES", *sys.modules)
sys.exit(code)
"""


def loaded(home: Home, *words: str) -> tuple[list[str], set[str]]:
    """The lines a command prints, and the modules in its process at the end."""
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}{PROGRAM}"]
    done = subprocess.run(
        [*command, "--root", str(home.store), *words], capture_output=True, text=True, check=True,
        env={"HOME": str(home.directory)},
    )  # fmt: skip
    *lines, modules = done.stdout.splitlines()
    return lines, set(modules.split()[1:])


@pytest.fixture
def with_image(home: Home, tmp_path: Path) -> Home:
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    assert home.mille("import", str(tmp_path / "empty.tar"), "x")[2] == 0
    return home


@pytest.mark.parametrize("words", [("image", "ls"), ("images", "-q"), ("image", "ls", "--sort", "size")])
def test_a_list_of_images(with_image: Home, words: tuple[str, ...]) -> None:
    lines, modules = loaded(with_image, *words)
    assert lines, "the image is listed"
    assert "millefeuille.store.images" in modules
    packages = tuple(f"{name}." for name in UNWANTED)
    assert sorted(name for name in modules if name in UNWANTED or name.startswith(packages)) == []


def test_the_command_itself_loads_next_to_nothing() -> None:
    command = Path(sys.executable).with_name("mille")
    assert command.read_text().splitlines()[1:] == (ROOT / "src/command/mille").read_text().splitlines()[1:]
    assert os.access(ROOT / "src/command/mille", os.X_OK), "installers keep the mode"


def test_an_analysis_that_was_kept(home: Home, tmp_path: Path) -> None:
    layer = rawtars.archive(rawtars.file(b"f", b"x"))
    write_archive(tmp_path / "image.tar", [layer])
    assert home.mille("load", "--input", str(tmp_path / "image.tar"))[2] == 0
    name = home.mille("images", "--format", "{{.ID}}")[0].strip()
    first, _ = loaded(home, "analyze", "--json", name)
    second, modules = loaded(home, "analyze", "--json", name)
    assert first == second != []
    unwanted = (*UNWANTED, "sqlite3.dbapi2", "datetime", "millefeuille.analysis.ledger")
    assert sorted(name for name in modules if name in unwanted and name != "blake3") == []


def test_the_probe_sees_what_is_loaded(with_image: Home) -> None:
    _, modules = loaded(with_image, "image", "ls", "-f", "dangling=false")
    assert "millefeuille.docker.filters" in modules


def test_a_container_of_an_image_that_is_here_needs_little(with_image: Home) -> None:
    loaded(with_image, "create", "--network", "none", "x", "true")  # which finds out how to mount here
    lines, modules = loaded(with_image, "create", "--network", "none", "x", "true")
    assert len(lines[0]) == 64
    assert "millefeuille.containers.create" in modules
    packages = tuple(f"{name}." for name in (*SELDOM, "urllib3"))
    assert sorted(name for name in modules if name in SELDOM or name.startswith(packages)) == []


# What a build from a directory that finds every step does without.
FOUND = (
    "concurrent.futures", "dataclasses", "http", "inspect", "isal", "logging", "subprocess", "textual",
    "urllib3", "millefeuille.build.running.run", "millefeuille.build.sources.download",
    "millefeuille.build.sources.git", "millefeuille.build.steps.add", "millefeuille.layers.tar",
    "millefeuille.registry.client", "millefeuille.registry.transport", "millefeuille.runtime",
    "millefeuille.snapshots",
)  # fmt: skip


def test_a_build_that_finds_everything(home: Home, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY a /\nCMD x\n")
    (context / "a").write_text("a")
    first, _ = loaded(home, "build", "-q", str(context))
    second, modules = loaded(home, "build", "-q", str(context))
    assert first == second != []
    wrong = {name for name in modules for word in FOUND if name == word or name.startswith(f"{word}.")}
    assert not wrong


# What an analysis of an uncompressed archive does without, where there is no store.
IN_AN_ARCHIVE = (
    "bz2", "ctypes", "isal", "lzma", "millefeuille.engine.kept", "millefeuille.layers.ingest",
    "millefeuille.registry", "millefeuille.store.images", "millefeuille.store.sqlite", "sqlite3", "textual",
    "threading", "urllib3",
)  # fmt: skip


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one processor, a thread takes the hashes")
def test_an_analysis_of_an_archive(home: Home, tmp_path: Path) -> None:
    layer = rawtars.archive(*(rawtars.file(b"f%d" % number, b"x") for number in range(10_000)))
    write_archive(tmp_path / "image.tar", [layer])
    lines, modules = loaded(home, "analyze", "--json", str(tmp_path / "image.tar"))
    assert '"path":"f7"' in lines[0]
    assert sorted(name for name in IN_AN_ARCHIVE if name in modules) == []
