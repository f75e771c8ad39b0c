"""`builder du`: what RUNs that failed have left is in the cache, as `builder prune` frees it."""

from __future__ import annotations

import json

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
