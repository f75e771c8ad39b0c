"""`volume` in words: what Docker 28 prints, but for what docs/docker-differences.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.faces.cli.home import Home


def test_a_volume_is_made_shown_and_removed(home: Home) -> None:
    assert home.mille("volume", "create", "--label", "a=b", "--label", "c", "v2") == ("v2\n", "", 0)
    assert home.mille("volume", "create", "v2") == ("v2\n", "", 0)
    [told] = json.loads(home.mille("volume", "inspect", "v2")[0])
    assert told.pop("CreatedAt").endswith("Z")
    mountpoint = told.pop("Mountpoint")
    assert Path(mountpoint).is_dir()
    assert told == {
        "Driver": "local", "Labels": {"a": "b", "c": ""}, "Name": "v2", "Options": None, "Scope": "local",
    }  # fmt: skip
    template = "{{.Name}} {{.Options}} {{.Labels}} {{.UsageData}} {{.ClusterVolume}} {{.Status}}"
    assert (
        home.mille("volume", "inspect", "-f", template, "v2")[0] == "v2 map[] map[a:b c:] <nil> <nil> map[]\n"
    )
    assert home.mille("volume", "rm", "nosuch", "v2") == ("v2\n", "Error: get nosuch: no such volume\n", 1)
    assert not Path(mountpoint).exists()
    assert home.mille("volume", "rm", "-f", "nosuch") == ("nosuch\n", "", 0)
    assert home.mille("volume", "inspect", "v2") == ("[]\n", "Error: get v2: no such volume\n", 1)


def test_lists(home: Home) -> None:
    assert home.mille("volume", "ls") == ("DRIVER    VOLUME NAME\n", "", 0)
    for words in (("v10",), ("v2", "--label", "a=b"), ("tmp", "-o", "type=tmpfs", "-o", "device=tmpfs")):
        assert home.mille("volume", "create", *words)[2] == 0
    assert home.mille("volume", "ls")[0] == (
        "DRIVER    VOLUME NAME\nlocal     tmp\nlocal     v2\nlocal     v10\n"
    )
    for words, names in (
        (("-f", "name=v1"), "v10\n"),
        (("-f", "label=a"), "v2\n"),
        (("-f", "label=a=c"), ""),
        (("-f", "dangling=true"), "tmp\nv2\nv10\n"),
        (("-f", "dangling=false"), ""),
        (("-f", "driver=x"), ""),
        (("-f", "name=t", "-f", "name=v2"), "tmp\nv2\n"),
    ):
        assert home.mille("volume", "ls", "-q", *words) == (names, "", 0)
    assert (
        home.mille("volume", "ls", "-f", "name=v2", "--format", '{{.Label "a"}} {{.Label "z"}}')[0] == "b \n"
    )
    told = json.loads(home.mille("volume", "ls", "-f", "name=v2", "--format", "json")[0])
    assert told == {
        "Availability": "N/A", "Driver": "local", "Group": "N/A", "Labels": "a=b", "Links": "N/A",
        "Mountpoint": f"{home.store}/volumes/v2/_data", "Name": "v2", "Scope": "local", "Size": "N/A",
        "Status": "N/A",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("create", "a"),
            "Error: create a: volume name is too short, names should be at least two alphanumeric characters",
        ),
        (
            ("create", "-d", "nope", "v3"),
            'Error: create v3: error looking up volume plugin nope: plugin "nope" not found',
        ),
        (("create", "-o", "foo=bar", "v4"), 'Error: create v4: invalid option: "foo"'),
        (
            ("create", "--name", "v9", "v10"),
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
        ),
        (("ls", "-f", "nope=x"), "Error: invalid filter 'nope'"),
        (("ls", "-f", "dangling=x"), "Error: invalid filter 'dangling=[x]'"),
        (("prune", "-f", "--filter", "nope=1"), "Error: invalid filter 'nope'"),
        (
            ("prune", "-a", "--filter", "all=1"),
            "conflicting options: cannot specify both --all and --filter all=1",
        ),
    ],
)
def test_refusals(home: Home, words: tuple[str, ...], complaint: str) -> None:
    assert home.mille("volume", *words) == ("", f"{complaint}\n", 1)


def test_prune_asks_and_tells(home: Home) -> None:
    name = home.mille("volume", "create")[0].strip()
    home.mille("volume", "create", "named")
    (home.store / "volumes" / name / "_data" / "file").write_bytes(bytes(2000))
    question = (
        "WARNING! This will remove {} local volumes not used by at least one container.\n"
        "Are you sure you want to continue? [y/N] "
    )
    assert home.mille("volume", "prune", typed="n\n") == (question.format("anonymous"), "", 0)
    assert home.mille("volume", "prune", "-a", typed="") == (question.format("all"), "", 0)
    assert home.mille("volume", "prune", "-f") == (
        f"Deleted Volumes:\n{name}\n\nTotal reclaimed space: 2kB\n", "", 0,
    )  # fmt: skip
    assert home.mille("volume", "prune", "-f") == ("Total reclaimed space: 0B\n", "", 0)
    assert home.mille("volume", "prune", "-f", "--filter", "all=true")[0].startswith(
        "Deleted Volumes:\nnamed\n"
    )


@pytest.mark.parametrize("kind", ["volume", "network"])
@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("=x", "invalid label '=x': empty name"), ("", "invalid label '': empty name"),
        ("a b=1", "label 'a b' contains whitespaces"),
    ],
)  # fmt: skip
def test_labels_have_a_name(home: Home, kind: str, label: str, reason: str) -> None:
    out, err, code = home.mille(kind, "create", "--label", label, "one")
    assert (out, err.splitlines()[0], code) == (
        "", f'invalid argument "{label}" for "--label" flag: {reason}', 125,
    )  # fmt: skip


def test_a_full_disk_is_named(home: Home) -> None:
    assert home.mille("volume", "create", "v0")[2] == 0
    fault = {"MILLE_FAULT": "write:1:ENOSPC"}
    out, err, code = home.mille("volume", "create", "v1", environment=fault)
    assert (out, code) == ("", 1)
    assert re.match(rf"Error: {home.store}/volumes/\S+/volume\.json: no space left on device\n", err), err


def test_a_template_is_to_fit_a_volume_where_only_volumes_are_looked_for(home: Home) -> None:
    """Docker's client has no plain object to try then."""
    assert home.mille("volume", "create", "data")[2] == 0
    words = ("inspect", "-f", "{{.Nope}}", "data", "data")
    line = 'template parsing error: template: :1:2: executing "" at <.Nope>: '
    typed, plain = "can't evaluate field Nope in type volume.Volume", 'map has no entry for key "Nope"'
    assert home.mille("volume", *words) == ("\n", f"{line}{typed}\n" * 2, 1)
    assert home.mille(*words, "--type", "volume") == ("\n", f"{line}{plain}\n" * 2, 1)
