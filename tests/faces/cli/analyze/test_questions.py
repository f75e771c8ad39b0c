"""Questions about images whose layers change what a path is."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home
from tests.packages.test_found import rpm_database_with_log

from millefeuille.testing import rawtars

PACKAGE = b'{"name":"%s","version":"%s"}'
RECORD = b"app/node_modules/foo/package.json"


def load(home: Home, tmp_path: Path, name: str, *layers: bytes, steps: list[str] | None = None) -> None:
    write_archive(tmp_path / f"{name}.tar", list(layers), steps or [f"RUN {n}" for n in range(len(layers))])
    assert home.mille("load", "-i", str(tmp_path / f"{name}.tar"))[2] == 0
    assert home.mille("tag", "random:latest", name)[2] == 0


def packages(home: Home, name: str) -> list[tuple[str, str]]:
    out, err, code = home.mille("image", "packages", "--json", name)
    assert (err, code) == ("", 0)
    return [(one["name"], one["version"]) for one in json.loads(out)["packages"]]


def test_a_budget_counts_a_file_under_each_of_its_names(home: Home, tmp_path: Path) -> None:
    lower = rawtars.archive(rawtars.file(b"a/x", b"z" * 500), rawtars.hardlink(b"b/y", b"a/x"))
    load(home, tmp_path, "links", lower, rawtars.archive(rawtars.file(b"a/.wh.x")))
    for rule, code in (("/b=499", 1), ("/b=500", 0), ("/a=0", 0), ("/=499", 1), ("/=500", 0), ("=5", 2)):
        assert home.mille("analyze", "links", "--max-path-size", rule)[2] == code, rule
    both = rawtars.archive(rawtars.file(b"x", b"z" * 500), rawtars.hardlink(b"y", b"x"))
    load(home, tmp_path, "both", both)
    assert home.mille("analyze", "both", "--max-path-size", "/=500")[2] == 0, "once"


@pytest.mark.parametrize(
    "above", [rawtars.symlink(b"app/node_modules", b"/x"), rawtars.file(b"app", b"a file")]
)
def test_packages_go_with_the_directory_that_they_were_in(home: Home, tmp_path: Path, above: bytes) -> None:
    lower = rawtars.archive(rawtars.file(RECORD, PACKAGE % (b"foo", b"1")))
    load(home, tmp_path, "lower", lower)
    assert packages(home, "lower") == [("foo", "1")]
    load(home, tmp_path, "upper", lower, rawtars.archive(above))
    assert packages(home, "upper") == []


def test_the_system_is_that_of_the_last_layer(home: Home, tmp_path: Path) -> None:
    layers = [rawtars.archive(rawtars.file(b"etc/os-release", b"ID=%s\n" % name)) for name in (b"a", b"b")]
    load(home, tmp_path, "system", *layers)
    assert json.loads(home.mille("image", "packages", "--json", "system")[0])["system"]["ID"] == "b"


def test_a_record_with_holes_is_read_whole(home: Home, tmp_path: Path) -> None:
    data = PACKAGE % (b"foo", b"1")
    record = rawtars.pax_sparse(RECORD, [(512, len(data))], 512 + len(data), data, "1.0")
    load(home, tmp_path, "holes", rawtars.archive(record, rawtars.file(b"next", b"n" * 600)))
    err, code = home.mille("image", "packages", "holes")[1:]
    assert (code, err) == (0, "Not read: /app/node_modules/foo/package.json: not JSON\n")  # zeros lead it
    status = b"Package: one\nStatus: install ok installed\nVersion: 1\n".ljust(512, b"\n")
    record = rawtars.pax_sparse(b"var/lib/dpkg/status", [(0, 512), (1536, 0)], 1536, status, "0.1")
    load(home, tmp_path, "tail", rawtars.archive(record, rawtars.file(b"next", b"n" * 600)))
    assert packages(home, "tail") == [("one", "1")]


@pytest.mark.parametrize(
    ("path", "data", "found"),
    [
        (RECORD, b'{"name":"sur\\ud800","version":"1"}', [("sur?", "1")]),
        (b"lib/apk/db/installed", b"P:x\nV:1\nI:" + b"9" * 5000 + b"\n\n", [("x", "1")]),
        (
            b"var/lib/dpkg/status",
            b"Package: x\nStatus: install ok installed\nMaintainer: A\xe2\x80\xa8B\nInstalled-Size: "
            + b"9" * 5000 + b"\nVersion: 1\n",
            [("x", "1")],
        ),
    ],
)  # fmt: skip
def test_odd_records(home: Home, tmp_path: Path, path: bytes, data: bytes, found: object) -> None:
    load(home, tmp_path, "odd", rawtars.archive(rawtars.file(path, data)))
    assert packages(home, "odd") == found
    assert home.mille("image", "packages", "odd")[1:] == ("", 0)


def test_a_layer_with_nothing_but_a_log_of_rpms_database(home: Home, tmp_path: Path) -> None:
    raw, log = rpm_database_with_log(tmp_path / "rpmdb.sqlite", 4096)
    path = b"var/lib/rpm/rpmdb.sqlite"
    layers = [rawtars.archive(rawtars.file(path, raw)), rawtars.archive(rawtars.file(path + b"-wal", log))]
    load(home, tmp_path, "logged", *layers)
    found = json.loads(home.mille("image", "packages", "--json", "logged")[0])["packages"]
    assert [(one["name"], one["layer"]) for one in found] == [("cat", 1), ("ls", 0), ("sed", 1)]


def test_kinds_that_there_are(home: Home) -> None:
    out, err, code = home.mille("image", "packages", "--kind", "foo", "x")
    assert (out, code) == ("", 1)
    assert 'unknown kind of packages "foo"' in err


def test_versions_that_changed(home: Home, tmp_path: Path) -> None:
    def installed(*pairs: tuple[bytes, bytes]) -> bytes:
        text = b"Metadata-Version: 2.1\nName: %s\nVersion: %s\n"
        return rawtars.archive(
            *(rawtars.file(b"l/%s-%s.dist-info/METADATA" % pair, text % pair) for pair in pairs)
        )

    load(home, tmp_path, "old", installed((b"one", b"1.0"), (b"k", b"1"), (b"k", b"2")))
    load(home, tmp_path, "new", installed((b"one", b"1.1"), (b"k", b"2")))
    lines = home.mille("image", "diff", "old", "new")[0].splitlines()
    assert [line for line in lines if line.startswith("package ")] == [
        "package pypi k: 1 -> (none)", "package pypi one: 1.0 -> 1.1",
    ]  # fmt: skip


@pytest.mark.parametrize("there", [True, False])
def test_packages_are_told_of_images_in_the_store_alone(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [rawtars.archive(rawtars.file(RECORD, PACKAGE % (b"foo", version))) for version in (b"1", b"2")]
    for name, layer in zip(("old", "new"), files, strict=True):
        if there:
            load(home, tmp_path, name, layer)
        write_archive(tmp_path / f"{name.capitalize()}.tar", [layer], ["RUN 0"])
    (tmp_path / "new").write_bytes((tmp_path / "New.tar").read_bytes())

    def told(*words: str) -> object:
        out, err, code = home.mille("image", "diff", "--json", *words)
        assert (err, code) == ("", 0)
        found = json.loads(out)
        assert [file["path"] for file in found["files"]] == [RECORD.decode()]
        return found["packages"]

    for words in (
        ("./Old.tar", "./New.tar"), (str(tmp_path / "Old.tar"), "New.tar"),
        ("--source", "docker-archive", "./Old.tar", "new"),
        ("docker-archive://Old.tar", "docker-archive://New.tar"),
    ):  # fmt: skip
        assert told(*words) is None
    if there:
        change = [{"kind": "npm", "name": "foo", "before": "1", "after": "2"}]
        assert told("old", "new") == told("store://old", "new") == change
        assert told("--source", "store", "old", "new") == change
        assert told("old", "New.tar") is told("--source", "docker-archive", "Old.tar", "new") is None


def test_directories_that_no_entry_names_are_there(home: Home, tmp_path: Path) -> None:
    load(home, tmp_path, "unnamed", rawtars.archive(rawtars.file(b"a/b", b"x")))
    load(home, tmp_path, "named", rawtars.archive(rawtars.directory(b"a"), rawtars.file(b"a/b", b"x")))
    closed = rawtars.directory(b"a", mode=0o700)
    load(home, tmp_path, "closed", rawtars.archive(closed, rawtars.file(b"a/b", b"x")))
    load(home, tmp_path, "file", rawtars.archive(rawtars.file(b"a", b"file")))

    def differing(one: str, other: str) -> list[str]:
        return [line for line in home.mille("image", "diff", one, other)[0].splitlines() if " /a" in line]

    gone = [rawtars.archive(rawtars.file(name)) for name in (b"a/.wh.b", b".wh.a")]
    load(home, tmp_path, "empty", rawtars.archive(rawtars.file(b"a/b", b"x")), gone[0])
    load(home, tmp_path, "none", rawtars.archive(rawtars.file(b"a/b", b"x")), gone[1])
    assert differing("empty", "none") == ["D /a"]
    assert differing("none", "empty") == ["A /a"]
    assert differing("empty", "file") == ["T /a  0B -> 4B"]
    assert differing("unnamed", "empty") == ["D /a/b  1B -> 0B"]
    assert differing("unnamed", "named") == []
    assert differing("unnamed", "closed") == ["M /a"]
    assert differing("closed", "unnamed") == ["M /a"]
    assert differing("unnamed", "file") == ["T /a  0B -> 4B", "D /a/b  1B -> 0B"]
    assert differing("file", "unnamed") == ["T /a  4B -> 0B", "A /a/b  0B -> 1B"]


def test_words_of_a_history_do_not_steer_the_terminal(home: Home, tmp_path: Path) -> None:
    layer = rawtars.archive(rawtars.file(b"a", b"x"))
    load(home, tmp_path, "red", layer, steps=["/bin/sh -c echo \x1b[31mRED"])
    load(home, tmp_path, "plain", layer)
    for words in (["analyze", "red"], ["image", "blame", "red", "a"], ["image", "diff", "plain", "red"],
                  ["image", "dockerfile", "red"]):  # fmt: skip
        out = home.mille(*words)[0]
        assert "RED" in out, words
        assert "\x1b" not in out, words


def test_what_cannot_run_ends_with_two(home: Home, tmp_path: Path) -> None:
    load(home, tmp_path, "one", rawtars.archive(rawtars.file(b"a", b"x")))
    for words in (
        [f"docker-archive://{tmp_path}/one.tar/foo"], ["one", "--ci", "--ci-config", str(tmp_path)],
        ["one", "--max-size", "9" * 400], ["one", "--score", "dive", "-o", "markdown"],
        ["one", "--allow-growth", "5"],
    ):  # fmt: skip
        out, err, code = home.mille("analyze", *words)
        assert (out, code, err.startswith("Error: ")) == ("", 2, True), words


def blamed(home: Home, name: str, path: str) -> list[tuple[int, str, str, bool]]:
    rows = json.loads(home.mille("image", "blame", "--json", name, path)[0])["layers"]
    return [(row["layer"], row["change"], row["by"], row["live"]) for row in rows]


def test_blame_of_directories_that_no_entry_names(home: Home, tmp_path: Path) -> None:
    deep, file = rawtars.archive(rawtars.file(b"a/b", b"x")), rawtars.archive(rawtars.file(b"a", b"f"))
    load(home, tmp_path, "made", file, deep)
    assert blamed(home, "made", "a") == [(0, "added", "a", False), (1, "type", "a/b", True)]
    load(home, tmp_path, "lost", deep, file)
    assert blamed(home, "lost", "a/b") == [(0, "added", "a/b", False), (1, "hidden", "a", False)]
    load(home, tmp_path, "gone", deep, rawtars.archive(rawtars.file(b".wh.a")))
    assert blamed(home, "gone", "a") == [(0, "added", "a/b", False), (1, "removed", "a", False)]


def test_blame_of_a_directory_that_a_mark_took_and_content_made_again(home: Home, tmp_path: Path) -> None:
    lower = rawtars.archive(rawtars.file(b"d/old", b"1"))
    upper = rawtars.archive(rawtars.file(b".wh.d"), rawtars.file(b"d/new", b"2"))
    load(home, tmp_path, "again", lower, upper)
    assert blamed(home, "again", "d") == [
        (0, "added", "d/old", False), (1, "removed", "d", False), (1, "added", "d/new", True)
    ]  # fmt: skip
    load(home, tmp_path, "alone", upper)
    assert blamed(home, "alone", "d") == [(0, "added", "d/new", True)]


def test_blame_tells_of_a_directory_once_that_one_layer_names_often(home: Home, tmp_path: Path) -> None:
    often = rawtars.archive(
        rawtars.directory(b"d", mode=0o700), rawtars.directory(b"d"), rawtars.directory(b"d", mode=0o711)
    )
    load(home, tmp_path, "often", often)
    rows = json.loads(home.mille("image", "blame", "--json", "often", "d")[0])["layers"]
    assert [(row["change"], row["mode"], row["live"]) for row in rows] == [("added", 0o711, True)]


def test_all_agree_on_what_takes_the_place_of_an_unnamed_directory(home: Home, tmp_path: Path) -> None:
    lower = rawtars.archive(rawtars.file(b"usr/bin/x", b"1"))
    upper = rawtars.archive(rawtars.directory(b"usr", mode=0o700), rawtars.file(b"usr/bin", b"file"))
    load(home, tmp_path, "place", lower, upper)
    for path, change in (("usr", "metadata"), ("usr/bin", "type")):
        assert blamed(home, "place", path) == [(0, "added", "usr/bin/x", False), (1, change, path, True)]
    layer = json.loads(home.mille("analyze", "--json", "place")[0])["layers"][1]
    assert [(each["path"], each["change"]) for each in layer["files"]] == [
        ("usr", "metadata"), ("usr/bin", "type")
    ]  # fmt: skip
    assert "+0 ~2 -0" in home.mille("analyze", "place")[0]


def test_a_small_image_does_not_hide_what_large_ones_have_in_common(home: Home, tmp_path: Path) -> None:
    shared = [(b"s%d" % n, bytes([n]) * 50_000) for n in range(3)]
    own = rawtars.file(b"own", b"o" * 10_000)
    for name, extra in (("one", own), ("two", rawtars.file(b"other", b"p" * 10_000))):
        base = rawtars.archive(*(rawtars.file(path, data) for path, data in shared), extra)
        load(home, tmp_path, name, base)
    load(home, tmp_path, "small", rawtars.archive(own, rawtars.file(b"x", b"x")))
    [base] = json.loads(home.mille("system", "map", "--json")[0])["commonBases"]
    assert [name.rpartition("/")[2] for name in base["images"]] == ["one:latest", "two:latest"]
    assert base["savedBytes"] == 150_000


def test_blame_finds_a_path_through_a_link_above_it(home: Home, tmp_path: Path) -> None:
    merged = rawtars.archive(
        rawtars.file(b"usr/bin/ls", b"ls"), rawtars.symlink(b"bin", b"usr/bin"),
        rawtars.symlink(b"b", b"/bin/./"), rawtars.symlink(b"round", b"round"),
    )  # fmt: skip
    load(home, tmp_path, "merged", merged, rawtars.archive(rawtars.file(b"usr/bin/.wh.ls")))
    for path in ("/bin/ls", "b/ls", "usr/../bin/ls"):
        assert blamed(home, "merged", path) == [
            (0, "added", "usr/bin/ls", False), (1, "removed", "usr/bin/ls", False)
        ], path  # fmt: skip
    assert blamed(home, "merged", "/bin") == [(0, "added", "bin", True)], "the link itself"
    assert home.mille("image", "blame", "merged", "/bin/cat")[1:] == (
        "Error: no layer of image merged has /bin/cat\n", 1
    )  # fmt: skip
    assert home.mille("image", "blame", "merged", "/round/x")[1:] == ("Error: too many links in round/x\n", 1)


def test_what_could_not_run_is_no_answer(home: Home, tmp_path: Path) -> None:
    load(home, tmp_path, "some", rawtars.archive(rawtars.file(b"f", b"x")))
    for words in (["analyze"], ["dive"], ["image", "secrets"], ["image", "diff", "some"],
                  ["image", "diff", "-q", "some", str(tmp_path)], ["analyze", "some", "--score", "x"],
                  ["image", "secrets", "no/such"]):  # fmt: skip
        out, err, code = home.mille(*words)
        assert (out, code) == ("", 2), words
        assert err, words
    assert home.mille("image", "diff", "-q", "some", "some") == ("", "", 0)


def test_every_letter_of_a_rule_can_be_in_xml(home: Home, tmp_path: Path) -> None:
    load(home, tmp_path, "some", rawtars.archive(rawtars.file(b"f", b"x")))
    rule = "/\ufffe\uffff\udcff\x01\U0001f600<&>\"'=0"
    out, _, code = home.mille("analyze", "some", "-o", "junit", "--max-path-size", rule)
    assert code in (0, 1)
    assert "\U0001f600" in str(ElementTree.fromstring(out.encode())[0][-1].get("name"))


def test_two_equal_files_are_not_one_with_two_names(home: Home, tmp_path: Path) -> None:
    base = rawtars.archive(rawtars.file(b"other", b"x"))
    files = [rawtars.file(b"a", b"x"), rawtars.file(b"b", b"x")]
    load(home, tmp_path, "apart", base, rawtars.archive(*files))
    load(home, tmp_path, "one", base, rawtars.archive(files[0], rawtars.hardlink(b"b", b"a")))
    more = rawtars.archive(files[0], rawtars.hardlink(b"b", b"a"), rawtars.hardlink(b"c", b"a"))
    load(home, tmp_path, "more", base, more)

    def files_of(*names: str) -> list[str]:
        lines = home.mille("image", "diff", *names)[0].splitlines()
        return [line for line in lines if line.startswith(("A ", "D ", "C ", "M ", "T "))]

    assert files_of("apart", "one") == files_of("one", "apart") == ["M /a", "M /b"]
    assert files_of("one", "more") == ["A /c  0B -> 1B"], "not told again of a and b"
    assert files_of("one", "one") == []


def test_blame_of_a_hard_link_is_of_the_file_that_it_is_a_name_of(home: Home, tmp_path: Path) -> None:
    lower = rawtars.archive(
        rawtars.file(b"a", b"12345", mode=0o750, uid=7, gid=8),
        rawtars.hardlink(b"near", b"a", mode=0o600, uid=1, gid=1), rawtars.hardlink(b"next", b"near"),
        rawtars.symlink(b"to", b"a"), rawtars.hardlink(b"same", b"to"),
    )  # fmt: skip
    upper = rawtars.archive(rawtars.hardlink(b"far", b"next"), rawtars.file(b".wh.a"))
    load(home, tmp_path, "named", lower, upper)
    [whole] = json.loads(home.mille("image", "blame", "--json", "named", "near")[0])["layers"]
    for path, layer, link in (("near", 0, "a"), ("next", 0, "near"), ("far", 1, "next")):
        [row] = json.loads(home.mille("image", "blame", "--json", "named", path)[0])["layers"]
        assert (row["layer"], row["kind"], row["link"], row["live"]) == (layer, "hardlink", link, True)
        assert (row["sizeBytes"], row["mode"], row["uid"], row["gid"]) == (5, 0o750, 7, 8), path
        assert row["blake3"] == whole["blake3"] is not None
        shown = home.mille("image", "blame", "named", path)[0].splitlines()[1]
        assert f"added, hard link to /{link}   -rwxr-x---   7:8" in shown
        assert " 5B " in shown
    assert "lrwxrwxrwx" in home.mille("image", "blame", "named", "same")[0]
