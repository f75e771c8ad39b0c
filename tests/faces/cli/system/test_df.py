"""`system df -v`: what each part takes, in the lines and members of docker 28.2.2, and through templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

_CONTEXT = 'template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter'


@pytest.fixture
def used(home: Home, tmp_path: Path) -> Home:
    """A home with an image of one step, which is in the cache, and a volume."""
    (tmp_path / "file").write_bytes(bytes(100_000))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY file /<file>\n")
    assert home.mille("build", "-q", "-t", "built", str(tmp_path))[2] == 0
    assert home.mille("volume", "create", "named")[2] == 0
    return home


def test_the_cache_has_the_rows_of_builder_du(used: Home) -> None:
    cached = json.loads(used.mille("builder", "du", "--format", "json")[0])
    out, err, code = used.mille("system", "df", "-v")
    assert (err, code) == ("", 0)
    head, _, rows = out.partition("\nBuild cache usage: ")
    assert head.endswith("VOLUME NAME   LINKS     SIZE\nnamed         0         0B\n")
    total, _, header, row = rows.splitlines()
    assert total == used.mille("system", "df", "--format", "{{.Size}}")[0].splitlines()[-1] != "0B"
    assert " ".join(header.split()) == "CACHE ID CACHE TYPE SIZE CREATED LAST USED USAGE SHARED"
    assert row.split()[:2] == [cached["id"], "regular"]
    assert row.split()[-2:] == ["1", "true"]
    found = json.loads(used.mille("system", "df", "-v", "--format", "json")[0])["BuildCache"]
    assert [(one["ID"], one["Description"]) for one in found] == [(cached["id"], "COPY /<file>")]
    assert sorted(found[0]) == [
        "CacheType", "CreatedAt", "CreatedSince", "Description", "ID", "InUse", "LastUsedAt", "LastUsedSince",
        "Parent", "Shared", "Size", "UsageCount",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "out"),
    [
        (r"{{range .BuildCache}}{{.CacheType}} {{.InUse}}\n{{end}}", "regular false\n"),
        ("{{range .Volumes}}{{.Name}} {{.Links}}{{.Label `x`}}{{end}}", "named 0"),
        ("table {{range .Images}}{{len .ID}}{{end}}", "12"),
        ("{{range .Images}}{{len .ID}}{{end}} {{json .Containers}}", "71 []"),
        (r"{{with index .BuildCache 0}}{{json .Description}}{{end}}", '"COPY /<file>"'),
    ],
)
def test_templates(used: Home, template: str, out: str) -> None:
    assert used.mille("system", "df", "-v", "--format", template) == (out, "", 0)


def test_volumes_with_options_of_their_driver_are_not_counted(used: Home) -> None:
    options = ("-o", "type=tmpfs", "-o", "device=tmpfs")
    assert used.mille("volume", "create", *options, "memory") == ("memory\n", "", 0)
    out = used.mille("system", "df", "--format", "{{.Type}} {{.TotalCount}}")[0]
    assert out.splitlines()[2] == "Local Volumes 1"
    assert used.mille("system", "df", "-v", "--format", "{{range .Volumes}}{{.Name}}{{end}}")[0] == "named"


def test_json_of_rows_is_escaped(used: Home) -> None:
    whole = used.mille("system", "df", "-v", "--format", "{{json .BuildCache}}")[0]
    assert r'"Description":"COPY /\u003cfile\u003e"' in whole


@pytest.mark.parametrize(
    ("template", "err"),
    [
        ("{{.Nope}}", f"{_CONTEXT}.diskUsageContext\n"),
        ("{{", "template parsing error: template: :1: unclosed action\n"),
        ("raw", "`system df -v` has no format raw\n"),
    ],
)
def test_templates_that_do_not_fit(home: Home, template: str, err: str) -> None:
    assert home.mille("system", "df", "-v", "--format", template) == ("", err, 1)
