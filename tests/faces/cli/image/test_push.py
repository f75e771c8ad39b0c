"""`push`: one tag or all, quiet or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home
from tests.faces.cli.image.mirrored import Mirrored

from millefeuille.testing.servers import RegistryServer


@pytest.fixture
def name(home: Home, registry_server: RegistryServer, tmp_path: Path) -> str:
    """A repository of the store with tags 1 and 2, which no registry has yet, of different images."""
    name = f"{registry_server.address}/team/app"
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    for tag in "12":
        assert home.mille("import", "-m", tag, str(tmp_path / "empty.tar"), f"{name}:{tag}")[2] == 0
    return name


@pytest.mark.walk
class TestToARegistry:
    def test_all_tags(self, home: Home, name: str) -> None:
        out, err, code = home.mille("push", "-a", name)
        assert (err, code) == ("", 0)
        lines = [line for line in out.splitlines() if "digest: " in line or "[" in line or "latest" in line]
        assert lines[0] == f"The push refers to repository [{name}]"
        assert [line.partition(":")[0] for line in lines[1:]] == ["1", "2"]

    def test_all_tags_quietly_name_the_repository(self, home: Home, name: str) -> None:
        assert home.mille("push", "-a", "-q", name) == (f"{name}\n", "", 0)

    def test_one_tag_quietly(self, home: Home, name: str) -> None:
        assert home.mille("push", "-q", f"{name}:1") == (f"{name}:1\n", "", 0)
        assert home.mille("tag", f"{name}:1", name) == ("", "", 0)
        assert home.mille("push", "-q", name) == (f"{name}:latest\n", "", 0)

    def test_all_tags_write_the_mirror_once(self, home: Home, name: str, mirrored: Mirrored) -> None:
        assert mirrored.writes("push", "-a", name) == 1
        assert mirrored.writes("push", "-a", name) == 0
