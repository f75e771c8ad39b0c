"""`pull`: several names, all tags, quiet; and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home
from tests.faces.cli.image.mirrored import Mirrored

from millefeuille.testing.images import MadeImage, make_image, push
from millefeuille.testing.servers import RegistryServer
from millefeuille.testing.tars import file_entry, make_layer

TRUST = "Docker Content Trust is not supported\n"


@pytest.fixture
def images(tmp_path: Path) -> tuple[MadeImage, MadeImage]:
    """Two images that share a layer."""
    layers = [make_layer(tmp_path / name, [file_entry(name, name.encode())]) for name in ("a", "b")]
    return make_image(layers[:1]), make_image(layers)


@pytest.fixture
def name(registry_server: RegistryServer, images: tuple[MadeImage, MadeImage]) -> str:
    """A repository with the two as tags 1 and 2."""
    for tag, image in zip("12", images, strict=True):
        push(image, registry_server.address, "team/app", tag)
    return f"{registry_server.address}/team/app"


@pytest.mark.walk
class TestFromARegistry:
    def test_all_tags_end_in_one_sentence(
        self, home: Home, name: str, images: tuple[MadeImage, MadeImage]
    ) -> None:
        out, err, code = home.mille("pull", "-a", name)
        assert (err, code) == ("", 0)
        lines = out.splitlines()
        shared = images[0].layers[0].digest[7:19]
        assert [line for line in lines if "Pulling from" in line] == [
            "1: Pulling from team/app",
            "2: Pulling from team/app",
        ]
        assert f"{shared}: Pull complete" in lines
        assert f"{shared}: Already exists" in lines
        assert [line for line in lines if "Status: " in line] == [
            f"Status: Downloaded newer image for {name}"
        ]
        assert lines[-1] == name
        again = home.mille("pull", "-a", name)[0].splitlines()
        assert again[-2:] == [f"Status: Image is up to date for {name}", name]
        assert not any("exists" in line for line in again), "no layers of images that are here"

    def test_all_tags_write_the_mirror_once(self, home: Home, name: str, mirrored: Mirrored) -> None:
        assert mirrored.writes("pull", "-a", name) == 1
        assert mirrored.writes("pull", "-a", name) == 0
        assert mirrored.names() == {f"{name}:1", f"{name}:2"}

    def test_what_came_before_a_failure_stays(
        self, home: Home, name: str, images: tuple[MadeImage, MadeImage], registry_server: RegistryServer,
        mirrored: Mirrored,
    ) -> None:  # fmt: skip
        hexadecimal = images[1].layers[1].digest.removeprefix("sha256:")
        [blob] = registry_server.root.rglob(f"sha256/{hexadecimal[:2]}/{hexadecimal}/data")
        blob.unlink()
        assert home.mille("pull", "-a", name)[2] == 1
        assert mirrored.names() == {f"{name}:1"}
        assert home.mille("images", "-q", name)[0].split() == [images[0].id[7:19]]

    def test_several_names(self, home: Home, name: str) -> None:
        missing = (
            f"Error: manifest for {name}:9 not found: manifest unknown: manifest unknown\n"
            "invalid reference format\n"
        )
        out, err, code = home.mille("pull", "-q", f"{name}:1", f"{name}:9", "", f"{name}:2")
        assert (out, err, code) == (f"{name}:1\n{name}:2\n", missing, 1)
        assert len(home.mille("images", "-q")[0].splitlines()) == 2

    def test_another_platform_is_a_warning(self, home: Home, name: str) -> None:
        out, err, code = home.mille("pull", "--platform", "linux/arm64", f"{name}:1")
        assert (err, code) == ("", 0)
        assert out.splitlines()[-2:] == [
            f"WARNING: image with reference {name}:1 was found but its platform (linux/amd64) does not match "
            "the specified platform (linux/arm64)",
            f"{name}:1",
        ]


@pytest.mark.parametrize(
    ("verb", "words", "variable", "refused"),
    [
        ("pull", ["--disable-content-trust=false"], "", True),
        ("push", ["--disable-content-trust=false"], "", True),
        ("pull", [], "1", True),
        ("push", [], "true", True),
        ("pull", ["--disable-content-trust"], "1", False),
        ("pull", [], "0", False),
        ("pull", [], "nonsense", False),
    ],
)
def test_content_trust(home: Home, verb: str, words: list[str], variable: str, refused: bool) -> None:
    environment = {"DOCKER_CONTENT_TRUST": variable}
    _, err, code = home.mille(verb, *words, "127.0.0.1:1/x:1", environment=environment)
    assert code == 1
    assert err.startswith(TRUST) == refused
