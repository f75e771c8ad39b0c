"""`builder du`: what RUNs that failed have left is in the cache, as `builder prune` frees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.build.running.record import encoded
from millefeuille.build.running.wish import RunWish

ID = "ab12" * 8


@pytest.fixture
def failed(home: Home) -> Home:
    """A home with the root of a RUN that failed, as a build leaves it."""
    assert home.mille("volume", "create", "any")[2] == 0  # makes the store
    root, records = home.store / "snapshots" / ID, home.store / "build" / "kept"
    (root / "upper").mkdir(parents=True)
    (root / "work").mkdir()
    (root / "parent").touch()
    (root / "upper" / "file").write_bytes(bytes(range(256)) * 4096)
    records.mkdir(parents=True)
    wish = RunWish(parent=None, arguments=("/bin/sh", "-c", "make &&\n  false"))
    (records / f"{ID}.json").write_bytes(encoded(wish, 1_700_000_000.0))
    return home


def test_the_root_of_a_failed_run_is_listed(failed: Home) -> None:
    out, err, code = failed.mille("builder", "du", "--format", "json")
    assert (err, code) == ("", 0)
    found = json.loads(out)
    size = found.pop("size")
    assert 1 << 20 <= size < 2 << 20
    assert found == {
        "id": ID[:12], "kind": "exec.failed", "description": "failed RUN /bin/sh -c make && false",
        "created": 1_700_000_000.0, "used": 1_700_000_000.0, "uses": 0, "in_use": False, "shared": False,
    }  # fmt: skip
    assert failed.mille("builder", "du")[0].splitlines()[-1] != "Total:\t\t0B"
    row = failed.mille("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Size}} {{.Reclaimable}}")[0]
    total = row.splitlines()[-1].split()
    assert total[:3] == ["Build", "Cache", "1"]
    assert total[3] == total[4] != "0B"


def test_a_damaged_record_is_in_nobodys_way(failed: Home) -> None:
    (failed.store / "build" / "kept" / f"{ID}.json").write_text("{}")
    assert failed.mille("builder", "du", "--format", "json") == ("", "", 0)


@pytest.mark.parametrize("words", [("builder", "prune", "-f"), ("system", "prune", "-f")])
def test_what_is_left_of_a_base_image_is_counted(home: Home, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "big").write_bytes(bytes(range(256)) * 4000)
    (tmp_path / "base" / "Dockerfile").write_text("FROM scratch\nCOPY big /\n")
    (tmp_path / "Dockerfile").write_text("FROM base:1\nCOPY Dockerfile /first\nCOPY Dockerfile /second\n")
    assert home.mille("build", "-q", "-t", "base:1", str(tmp_path / "base"))[2] == 0
    assert home.mille("builder", "prune", "-af")[2] == 0  # forgets how the base was made
    assert home.mille("build", "-q", "-t", "top", str(tmp_path))[2] == 0
    rows = [json.loads(line) for line in home.mille("builder", "du", "--format", "json")[0].splitlines()]
    assert [one["shared"] for one in rows] == [True, True], "the images have it all"
    assert home.mille("rmi", "base:1", "top")[2] == 0
    rows = [json.loads(line) for line in home.mille("builder", "du", "--format", "json")[0].splitlines()]
    assert [(one["description"], one["shared"]) for one in rows] == [
        ("COPY /second", False), ("base of COPY /second", False), ("COPY /first", False)
    ]  # fmt: skip
    assert rows[1]["size"] > 1_000_000
    shown = home.mille("system", "df", "--format", "{{.Type}}: {{.TotalCount}} {{.Size}} {{.Reclaimable}}")[0]
    assert shown.splitlines()[-1] == "Build Cache: 3 1.032MB 1.032MB"
    ids = "".join(f"{rows[at]['id']}\n" for at in (2, 0, 1))
    assert home.mille(*words) == (
        f"Deleted build cache objects:\n{ids}\nTotal reclaimed space: 1.032MB\n", "", 0
    )  # fmt: skip
    assert home.mille("builder", "du", "--format", "json") == ("", "", 0)
