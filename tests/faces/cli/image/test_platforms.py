"""One name with several platforms: `image ls --tree` and `image rm --platform`, as docker 28.2.2 has them."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.docker.units import human_size
from millefeuille.testing.images import MadeImage, digest_of, make_image, push
from millefeuille.testing.servers import RegistryServer
from millefeuille.testing.tars import file_entry, make_layer

pytestmark = pytest.mark.walk

HEAD = f"""\
WARNING: This is an experimental feature. The output may change and shouldn't be depended on.
{"Info ->  U In Use ":>80}

"""


@pytest.fixture
def pair(tmp_path: Path) -> tuple[MadeImage, MadeImage]:
    """Two platforms that share their lower layer."""
    shared = make_layer(tmp_path / "shared", [file_entry("shared", bytes(range(256)) * 64)])
    own = [make_layer(tmp_path / name, [file_entry(name, name.encode() * 400)]) for name in ("one", "two")]
    return (
        make_image([shared, own[0]], architecture="amd64"),
        make_image([shared, own[1]], architecture="arm64", variant="v8"),
    )


@pytest.fixture
def name(home: Home, registry_server: RegistryServer, pair: tuple[MadeImage, MadeImage]) -> str:
    """The index, with both platforms pulled."""
    found = f"{registry_server.address}/team/multi:1"
    push(pair, registry_server.address, "team/multi", "1", kind="oci")
    for platform in ("linux/arm64", "linux/amd64"):
        assert home.mille("pull", "-q", "--platform", platform, found)[1:] == ("", 0)
    return found


def weight(image: MadeImage) -> tuple[str, str]:
    content = len(image.config) + len(image.manifest("oci")) + sum(layer.size for layer in image.layers)
    tars = sum(len(gzip.decompress(layer.path.read_bytes())) for layer in image.layers)
    return human_size(content + tars, 3), human_size(content, 3)


def test_the_tree(home: Home, name: str, pair: tuple[MadeImage, MadeImage]) -> None:
    out, err, code = home.mille("image", "ls", "--tree")
    assert (err, code) == ("", 0)
    lines = out.removeprefix(HEAD).splitlines(keepends=True)
    assert lines[0].split() == ["IMAGE", "ID", "DISK", "USAGE", "CONTENT", "SIZE", "EXTRA"]
    assert lines[1].startswith(name)
    width = lines[0].index("ID")
    for shown, image, platform in zip(lines[2:4], pair, ("├─ linux/amd64", "└─ linux/arm64/v8"), strict=True):
        usage, content = weight(image)
        details = f"{image.id[7:19]}   {usage:>10}   {content:>12}        \n"
        assert shown == f"{platform:{width}}{details}"
    assert lines[4:] == ["\n"]


@pytest.mark.parametrize(
    ("flag", "shown"),
    [("-q", "quiet"), ("--no-trunc", "no-trunc"), ("--digests", "show-digest"), ("--format=json", "format")],
)
def test_flags_that_do_not_fit(home: Home, flag: str, shown: str) -> None:
    assert home.mille("image", "ls", "--tree", flag) == (
        "",
        f"--{shown} is not yet supported with --tree\n",
        1,
    )


def test_an_image_of_one_platform(home: Home, registry_server: RegistryServer, tmp_path: Path) -> None:
    image = make_image([make_layer(tmp_path / "layer", [file_entry("a", b"some bytes")])])
    push(image, registry_server.address, "x", "1")
    home.mille("pull", "-q", f"{registry_server.address}/x:1")
    home.mille("tag", f"{registry_server.address}/x:1", "a-name-that-is-quite-long:2")
    lines = home.mille("image", "ls", "--tree")[0].removeprefix(HEAD).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        f"{registry_server.address}/x:1",
        "a-name-that-is-quite-long:2",
    ]
    assert image.id[7:19] in lines[2]


class TestRemoval:
    def test_asks_for_force(self, home: Home, name: str) -> None:
        complaint = (
            "Error: Content will be removed from all images referencing this variant. "
            "Use \u2014-force to force delete.\n"
        )
        assert home.mille("rmi", "--platform", "linux/arm64", name) == ("", complaint, 1)

    def test_leaves_what_is_shared(self, home: Home, name: str, pair: tuple[MadeImage, MadeImage]) -> None:
        amd64, arm64 = pair
        out, err, code = home.mille("rmi", "-f", "--platform", "linux/amd64", name)
        assert (err, code) == ("", 0)
        assert out.splitlines()[0] == f"Deleted: {amd64.id}"
        blobs = home.store / "blobs" / "sha256"
        held = {path.name for path in blobs.iterdir()}
        kept = {arm64.id, digest_of(arm64.manifest("oci")), *(layer.digest for layer in arm64.layers)}
        gone = {amd64.id, digest_of(amd64.manifest("oci")), amd64.layers[1].digest}
        assert {digest[7:] for digest in kept} <= held
        assert not {digest[7:] for digest in gone} & held
        # The name now means what it still has.
        assert home.mille("image", "inspect", "-f", "{{.Id}}", name) == (f"{arm64.id}\n", "", 0)
        lines = home.mille("image", "ls", "--tree")[0].splitlines()
        assert lines[5].split()[-2:] == ["0B", "0B"]
        assert home.mille("system", "check", "--data")[2] == 0

    def test_the_last_one_takes_the_name(
        self, home: Home, name: str, pair: tuple[MadeImage, MadeImage]
    ) -> None:
        out, err, code = home.mille("rmi", "-f", "--platform", "linux/amd64,linux/arm64", name)
        assert (err, code) == ("", 0)
        assert [text for text in out.splitlines() if not text.startswith("Deleted: sha256:")] == [
            f"Untagged: {name}"
        ]
        assert home.mille("images", "-aq") == ("", "", 0)
        assert list((home.store / "blobs" / "sha256").iterdir()) == []

    def test_a_platform_that_is_not_here(self, home: Home, name: str) -> None:
        missing = (
            f"Error: image with reference {name} was found but does not provide the specified platform "
            "(linux/s390x)\n"
        )
        # With -f, what is not there counts as removed.
        assert home.mille("rmi", "-f", "--platform", "linux/s390x", name) == ("", missing, 0)

    def test_every_match_of_a_pattern_is_tried(self, home: Home, name: str) -> None:
        other = home.directory / "files.tar"
        with tarfile.open(other, "w") as archive:
            archive.addfile(tarfile.TarInfo("a"))
        assert home.mille("import", "--platform", "linux/s390x", str(other), "mine:0")[2] == 0
        for tag in ("1", "2"):
            assert home.mille("tag", name, f"mine:{tag}") == ("", "", 0)
        out, err, code = home.mille("rmi", "-f", "--platform", "linux/amd64,linux/arm64", "mine:*")
        assert err == (
            "Error: image with reference docker.io/library/mine:0 was found but does not provide the "
            "specified platform (linux/amd64)\n"
        )
        assert ("Untagged: mine:1\n" in out, "Untagged: mine:2\n" in out, code) == (True, True, 0)

    def test_a_platform_that_is_none(self, home: Home) -> None:
        out, err, code = home.mille("rmi", "-f", "--platform", "foobar", "x")
        assert (out, code) == ("", 1)
        assert '"foobar": unknown operating system or architecture' in err
