"""`mille analyze`, `mille dive` and the questions about an image, at the command line."""

from __future__ import annotations

import gzip
import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

BASE = rawtars.archive(
    rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"x" * 300), rawtars.file(b"etc/keep", b"y" * 700)
)
TOP = rawtars.archive(rawtars.file(b"etc/.wh.a"), rawtars.file(b"new", b"z" * 1000))
STATUS = b"Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\n\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "image.tar"
    write_archive(path, [BASE, TOP], ["/bin/sh -c #(nop) ADD file:x in / ", "/bin/sh -c rm /etc/a"])
    return path


@pytest.fixture
def loaded(home: Home, archive: Path) -> str:
    assert home.mille("load", "-i", str(archive))[2] == 0
    return "random:latest"


def test_the_report_names_waste_and_who_did_it(home: Home, loaded: str) -> None:
    out, err, code = home.mille("analyze", loaded)
    assert (err, code) == ("", 0)
    assert "Efficiency:   85.0000%" in out
    assert "deleted   /etc/a" in out
    assert home.mille("analyze", loaded)[0] == out  # from what was kept


def test_an_archive_a_layout_and_the_store_say_the_same(home: Home, archive: Path, loaded: str) -> None:
    packed = archive.with_suffix(".tar.gz")
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    found = [
        json.loads(home.mille("analyze", "--json", name)[0])
        for name in (loaded, str(archive), f"docker-archive://{archive}", f"oci://{packed}", loaded)
    ]
    for one in found:
        one["image"]["name"] = ""
    assert all(one == found[0] for one in found)
    assert found[0]["score"]["exact"]["byCause"]["deleted"] == 300
    assert [entry["path"] for entry in found[0]["layers"][1]["files"]] == ["etc/a", "new"]
    assert found[0]["layers"][0]["files"][1]["shadowed"] is True


def test_json_goes_to_a_file_whatever_was_in_it(home: Home, loaded: str, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("x" * 100_000)
    assert home.mille("dive", loaded, "-j", str(target)) == ("", "", 0)
    assert json.loads(target.read_text())["image"]["inefficientBytes"] == 300
    assert home.mille("analyze", loaded, f"--json={target}") == ("", "", 0)
    assert json.loads(target.read_text())["schemaVersion"] == "1.0"


def test_dives_rules_in_dives_words(home: Home, loaded: str) -> None:
    out, _, code = home.mille("dive", "--ci", loaded)
    assert code == 1
    assert out == (
        "Analysis:\n  efficiency: 85.0000 %\n  wastedBytes: 300 bytes (300 B)\n"
        "  userWastedPercent: 30.0000 %\n"
        "Inefficient Files:\nCount  Wasted Space  File Path\n    2         300 B  /etc/a\n"
        "Results:\n"
        "  FAIL: highestUserWastedPercent: too many bytes wasted, relative to the user bytes added "
        "(%-user-wasted-bytes=0.3 > threshold=0.1)\n"
        "  SKIP: highestWastedBytes: rule disabled\n"
        "  FAIL: lowestEfficiency: image efficiency is too low (efficiency=0.85 < threshold=0.9)\n"
        "Result:FAIL [Total:3] [Passed:0] [Failed:2] [Warn:0] [Skipped:1]\n"
    )


def test_rules_come_from_flags_before_files(home: Home, loaded: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n  lowestEfficiency: 0.8 # ours\n  highestUserWastedPercent: 'disabled'\n")
    words = ("dive", "--ci-config", str(rules), loaded)
    out, _, code = home.mille(*words, environment={"CI": "true"})
    assert (out.splitlines()[-1], code) == (
        "Result:PASS [Total:3] [Passed:1] [Failed:0] [Warn:0] [Skipped:2]", 0,
    )  # fmt: skip
    assert home.mille(*words, "--lowestEfficiency=0.9", environment={"CI": "true"})[2] == 1
    assert home.mille(*words, "--lowestEfficiency=9", environment={"CI": "true"})[2] == 2


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("rules: {lowestEfficiency: 0.8, highestUserWastedPercent: disabled}", 1),
        ('{"rules": {"lowestEfficiency": 0.8, "highestUserWastedPercent": "0.5"}}', 2),
        ("RULES:\n LOWESTEFFICIENCY: .8\n highest-user-wasted-percent: 5e-1\n highestWastedBytes: 1 kB\n", 3),
        ("\ufeffrules:\n  lowestEfficiency: 0.8\n  highestUserWastedPercent: 0.5\n", 2),
        ("rules:\n  lowestEfficiency: 0.8\n  lowest-efficiency: 1\n  highestUserWastedPercent: 0.5\n", 2),
        ("rules.lowestEfficiency: 0.8\nrules.highestUserWastedPercent: 1\nother: 1\n", 2),
        ("---\nrules:\n  lowestEfficiency: 0.8\n  highestUserWastedPercent: 0.5\n  highestWastedBytes:\n", 2),
        ("rules:\n  lowestEfficiency: ''\n  highestUserWastedPercent: \"\"\n  highestWastedBytes: ''\n", 0),
    ],
)
def test_ways_to_write_rules(text: str, passed: int, home: Home, loaded: str, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(text)
    out, err, code = home.mille("dive", "--ci", "--ci-config", str(tmp_path / "rules"), loaded)
    assert (err, code) == ("", 0)
    assert f"[Passed:{passed}] [Failed:0]" in out


@pytest.mark.parametrize("nothing", ["", " null", " ~", " Null"])
def test_a_rule_without_a_value_is_the_default(nothing: str, home: Home, loaded: str, tmp_path: Path) -> None:
    text = f"rules:\n  lowestEfficiency:{nothing}\n  highestUserWastedPercent: off\n"
    (tmp_path / "rules").write_text(text)
    out, err, code = home.mille("dive", "--ci", "--ci-config", str(tmp_path / "rules"), loaded)
    assert (err, code) == ("", 1)
    assert "FAIL: lowestEfficiency: image efficiency is too low (efficiency=0.85 < threshold=0.9)" in out


def test_a_rule_in_quotes_has_a_value(home: Home, loaded: str, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("rules:\n  lowestEfficiency: 'null'\n")
    _, err, code = home.mille("dive", "--ci", "--ci-config", str(tmp_path / "rules"), loaded)
    assert (err.endswith("outside allowed range (0-1), given 'null'\n"), code) == (True, 2)


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("3e2", 0), ("299.9", 1), ("0x12c", 0), ("0x12b", 1), ("0_300", 1), ("3_00", 0), ("0.3\tkB", 0),
        ("0.2\tkB", 1), ("'3e2'", 2), ("18EB", 0), ("20EB", 2), ("17EiB", 2), ("18446744073709551615", 2),
    ],
)  # fmt: skip
def test_sizes_are_what_dive_takes_them_for(
    limit: str, code: int, home: Home, loaded: str, tmp_path: Path
) -> None:
    others = "lowestEfficiency: off\n  highestUserWastedPercent: off"
    (tmp_path / "rules").write_text(f"rules:\n  {others}\n  highestWastedBytes: {limit}\n")
    assert home.mille("dive", "--ci", "--ci-config", str(tmp_path / "rules"), loaded)[2] == code
    if code == 2 and "'" not in limit:
        assert home.mille("analyze", loaded, "--max-size", limit)[2] == 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("rules:\n  lowestEficiency: 0.8\n", "there is no rule 'lowestEficiency'; there are "),
        ("rules:\n- lowestEfficiency\n", "rules: expected a map"),
        ("rules:\n\tlowestEfficiency: 1\n", "line 2: a tab cannot indent"),
        ("rules: [1", "line 1: a bracket is not closed"),
        ("rules:\n  lowestEfficiency: [1]\n", "lowestEfficiency: expected a number or a size"),
        ("rules:\n  lowestEfficiency: true\n", "lowestEfficiency"),
        ("a: b\nrules lowestEfficiency\n", "line 2: expected `key: value`"),
    ],
)  # fmt: skip
def test_rules_that_are_none(text: str, error: str, home: Home, loaded: str, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(text)
    for command in ("dive", "analyze"):
        out, err, code = home.mille(command, "--ci", "--ci-config", str(tmp_path / "rules"), loaded)
        assert (out, code) == ("", 2)
        assert error in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--max-size", "3kB"), 0),
        (("--max-size", "1kB"), 1),
        (("--max-layer-size", "999"), 1),
        (("--max-waste", "300"), 0),
        (("--max-waste", "299B"), 1),
        (("--min-efficiency", "0.86"), 1),
        (("--max-path-size", "/etc=700"), 0),
        (("--max-path-size", "/etc=699"), 1),
        (("--max-path-size", "/et?=699"), 1),
        (("--max-path-size", "/e[t]*c=700"), 0),
        (("--max-size", "much"), 2),
        (("--output", "poem"), 2),
        (("--json", "--html", "-"), 2),
        (("--score", "none"), 2),
    ],
)
def test_budgets(home: Home, loaded: str, words: tuple[str, ...], code: int) -> None:
    assert home.mille("analyze", *words, loaded)[2] == code


@pytest.mark.parametrize(
    "flag",
    [
        "--max-size", "--max-waste", "--max-layer-size", "--min-efficiency", "--max-path-size", "--compare",
        "--ci-config", "--html", "--json",
    ],
)  # fmt: skip
def test_a_rule_of_a_variable_that_is_not_set_is_refused(home: Home, loaded: str, flag: str) -> None:
    out, err, code = home.mille("analyze", loaded, f"{flag}=")
    assert (out, err, code) == ("", f"Error: {flag} has an empty value\n", 2)
    assert home.mille("analyze", loaded, "--compare", loaded, "--allow-growth", "")[2] == 2


@pytest.mark.parametrize("form", ["markdown", "junit", "sarif"])
def test_a_page_and_another_form_cannot_share_standard_output(home: Home, loaded: str, form: str) -> None:
    out, err, code = home.mille("analyze", loaded, "--html", "-", "-o", form)
    assert (out, code) == ("", 2)
    assert err.startswith("Error: --html and --output both write to standard output\n")


@pytest.mark.parametrize(
    "words", [["--json"], ["--html", "-"], ["--json", "--html=page"], ["--json=it", "--html=-"]]
)
def test_verdicts_stand_beside_a_document(home: Home, loaded: str, tmp_path: Path, words: list[str]) -> None:
    words = [word.replace("=page", f"={tmp_path}/page").replace("=it", f"={tmp_path}/it") for word in words]
    plain = home.mille("analyze", loaded, *words)
    assert plain[1:] == ("", 0)
    out, err, code = home.mille("analyze", loaded, *words, "--max-size", "1", "--max-waste", "1MB")
    assert (out, code) == (plain[0], 1)
    assert err == (
        "Results:\n  FAIL: maxSize: the image's layers hold 2000 bytes, 1 are allowed\n  PASS: maxWaste\n"
        "Result:FAIL [Total:2] [Passed:1] [Failed:1] [Warn:0] [Skipped:0]\n"
    )


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("/lib=70", 0), ("/lib=69", 1), ("/lib/=69", 1), ("lib/x=39", 1), ("/lib/*.so=29", 1),
        ("/lib/*.so=30", 0), ("/up/lib/x=39", 1), ("/link=39", 1), ("/opt/../lib=69", 1), ("/nothing=0", 0),
        ("/gone=0", 0), ("/gone/x=0", 0), ("/=1070", 0), ("/=1069", 1), ("/usr/*/x=39", 1), ("/loop=1", 2),
        ("/opt/[a=999", 1),
    ],
)  # fmt: skip
def test_budgets_of_paths_that_lead_through_links(home: Home, tmp_path: Path, limit: str, code: int) -> None:
    layer = rawtars.archive(
        rawtars.file(b"usr/lib/x", b"x" * 40), rawtars.file(b"usr/lib/a.so", b"y" * 30),
        rawtars.symlink(b"lib", b"usr/lib"), rawtars.symlink(b"up", b"/opt/../usr"),
        rawtars.symlink(b"link", b"lib/x"), rawtars.symlink(b"gone", b"/nowhere"),
        rawtars.symlink(b"loop", b"loop"), rawtars.file(b"opt/[a", b"z" * 1000),
    )  # fmt: skip
    write_archive(tmp_path / "image.tar", [layer])
    assert home.mille("analyze", "--max-path-size", limit, str(tmp_path / "image.tar"))[2] == code


def test_growth_against_another_image(home: Home, loaded: str, tmp_path: Path) -> None:
    bigger = tmp_path / "bigger.tar"
    write_archive(bigger, [BASE, TOP, rawtars.archive(rawtars.file(b"more", b"m" * 50))])
    out, _, code = home.mille("analyze", "--compare", loaded, str(bigger))
    assert code == 1
    assert "FAIL: noGrowth: stored bytes grew by 50 to 2050 (allowed: 0)" in out
    assert home.mille("analyze", "--compare", loaded, "--allow-growth", "50", str(bigger))[2] == 0
    out, _, code = home.mille("analyze", "--compare", loaded, "-o", "markdown", str(bigger))
    assert "| stored | 2.05kB | 2kB | +50B |" in out


def test_forms_for_machines(home: Home, loaded: str) -> None:
    words = ("analyze", "--ci", "--max-size", "1", loaded, "-o")
    suite = ElementTree.fromstring(home.mille(*words, "junit")[0])[0]
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("4", "3", "1")
    results = json.loads(home.mille(*words, "sarif")[0])["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "error", "error", "note"]


def test_words_of_rules_and_paths_mean_nothing_to_markdown(home: Home, loaded: str) -> None:
    budgets = ("--max-path-size", "/etc=1", "--max-path-size", "**/<x>_y_|=0")
    out = home.mille("analyze", loaded, *budgets, "-o", "markdown")[0]
    assert r"| FAIL | path/etc | /etc takes " in out
    assert r"| PASS | path/\*\*/\<x\>\_y\_\| |" in out


def test_a_verdict_is_one_line_whatever_its_rule_is(home: Home, loaded: str) -> None:
    out = home.mille("analyze", loaded, "--max-path-size", "n\nPASS: x\x1b[2J=0")[0]
    assert "  PASS: path/n\ufffdPASS: x\ufffd[2J\n" in out


def test_names_with_backticks_do_not_leave_their_code_in_markdown(home: Home, tmp_path: Path) -> None:
    names = [b"a`![x](x.test)|`` @me", b"plain", b"`"]
    lower = rawtars.archive(*(rawtars.file(name, b"x" * (9 - n)) for n, name in enumerate(names)))
    archive = tmp_path / "an`im`` |age.tar"
    write_archive(archive, [lower, rawtars.archive(*(rawtars.file(b".wh." + name) for name in names))])
    lines = home.mille("analyze", "-o", "markdown", str(archive))[0].splitlines()
    assert lines[0] == f"### Layers of ``` {archive} ```"
    cells = [line.split(" | deleted | ")[1] for line in lines if " | deleted | " in line]
    assert cells == ["``` /a`![x](x.test)\\|`` @me ``` |", "`/plain` |", "`` /` `` |"]


def test_names_that_are_no_utf8_are_whole_text_in_sarif(home: Home, tmp_path: Path) -> None:
    name = b"bad\xff\x1b"
    archive = Path(os.fsdecode(os.fsencode(tmp_path) + b"/im\xffage.tar"))
    layers = [rawtars.archive(rawtars.file(name, b"x")), rawtars.archive(rawtars.file(b".wh." + name))]
    write_archive(archive, layers)
    words = ("--max-path-size", "/\udcff=1", "--max-path-size", "**/*\udcff*=0", "--max-size", "0")
    out = home.mille("analyze", "-o", "sarif", *words, str(archive))[0]
    json.dumps(json.loads(out), ensure_ascii=False).encode()  # raises where a surrogate stands alone
    (run,) = json.loads(out)["runs"]
    texts = [result["message"]["text"] for result in run["results"]]
    assert texts[-1].startswith("/bad\\xff\\x1b: 1 bytes written in layer 0")
    place = run["results"][0]["locations"][0]["logicalLocations"][0]
    assert place["fullyQualifiedName"] == f"{tmp_path}/im?age.tar"


def test_notes_of_sarif_show_the_beginning_of_a_step(home: Home, tmp_path: Path) -> None:
    layers = [rawtars.archive(rawtars.file(b"a", b"x")), rawtars.archive(rawtars.file(b".wh.a"))]
    write_archive(tmp_path / "image.tar", layers, ["ADD a", f"/bin/sh -c rm /a\n{'x' * 5000}"])
    (run,) = json.loads(home.mille("analyze", "-o", "sarif", str(tmp_path / "image.tar"))[0])["runs"]
    text = run["results"][0]["message"]["text"]
    assert ": rm /a xxx" in text and len(text) < 200


def test_a_config_does_not_steer_the_terminal(home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "a\x1b[31m.tar"
    layers = [rawtars.archive(rawtars.file(b"a", b"x"))]
    write_archive(archive, layers, os="linux\x1b[31m", architecture="amd\n64")
    out, err, code = home.mille("analyze", str(archive))
    assert (err, code) == ("", 0)
    assert "Platform:     linux\ufffd[31m/amd\ufffd64\n" in out
    assert "\x1b" not in out


def test_a_link_to_nothing_is_told_in_words(home: Home, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    layers = [rawtars.archive(rawtars.file(b"a")), rawtars.archive(rawtars.hardlink("é".encode(), b"y"))]
    write_archive(broken, layers)
    assert home.mille("analyze", str(broken))[1] == (
        "Error: layer 1 has a hard link to nothing ('é' to 'y')\n"
    )


def test_an_engine_is_asked_for_no_image_without_a_name(home: Home) -> None:
    for words in ("docker://", "podman://"):
        assert home.mille("analyze", words) == ("", "Error: invalid reference format\n", 2)


def test_what_cannot_be_analysed_ends_with_two(home: Home, tmp_path: Path, archive: Path) -> None:
    cut = tmp_path / "cut.tar"
    cut.write_bytes(archive.read_bytes()[:3000])
    for name in (str(cut), "docker-archive:///nowhere", "store://nothing", "what://ever"):
        out, err, code = home.mille("analyze", name)
        assert (out, code, err.startswith("Error: ")) == ("", 2, True), name


def test_a_layer_that_is_not_the_promised_one_is_refused(home: Home, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes().replace(b"y" * 700, b"w" * 700))
    out, err, code = home.mille("analyze", str(archive))
    assert (out, code) == ("", 2)
    assert "does not match its digest" in err


def test_the_base_is_found_by_its_layers(home: Home, loaded: str, tmp_path: Path) -> None:
    child = tmp_path / "child.tar"
    write_archive(child, [BASE, TOP, rawtars.archive(rawtars.file(b".wh.new"))])
    image = json.loads(home.mille("analyze", "--json", str(child))[0])
    assert image["image"]["base"] == {"layers": 2, "name": "docker.io/library/random:latest"}
    assert image["score"]["exact"]["inheritedBytes"] == 1300


def test_questions_about_an_image(home: Home, tmp_path: Path) -> None:
    first = rawtars.archive(rawtars.file(b"var/lib/dpkg/status", STATUS % (b"one", b"1")))
    second = rawtars.archive(
        rawtars.file(b"var/lib/dpkg/status", STATUS % (b"one", b"1") + STATUS % (b"two", b"2"))
    )
    for name, layers in (("old", [first]), ("new", [first, second])):
        path = tmp_path / f"{name}.tar"
        write_archive(
            path,
            layers,
            ["/bin/sh -c #(nop) ADD file:x in / ", "RUN /bin/sh -c apt # buildkit"][: len(layers)],
        )
        assert home.mille("load", "-i", str(path))[2] == 0
        assert home.mille("tag", "random:latest", name)[2] == 0
    packages = json.loads(home.mille("image", "packages", "--json", "new")[0])["packages"]
    assert [(one["name"], one["layer"]) for one in packages] == [("one", 0), ("two", 1)]
    assert home.mille("image", "diff", "old", "new")[0].splitlines() == [
        "C /var/lib/dpkg/status  74B -> 148B",
        "package deb two: (none) -> 2",
        "history + RUN /bin/sh -c apt # buildkit",
    ]
    assert home.mille("image", "diff", "-q", "new", "new") == ("", "", 0)
    assert home.mille("image", "diff", "-q", "old", "new")[2] == 1
    assert home.mille("image", "dockerfile", f"docker-archive://{tmp_path}/new.tar")[0].splitlines()[1:] == [
        "RUN apt"
    ]
    rows = json.loads(home.mille("image", "blame", "--json", "new", "/var/lib/dpkg/status")[0])["layers"]
    assert [(row["layer"], row["change"], row["live"]) for row in rows] == [
        (0, "added", False),
        (1, "content", True),
    ]
    assert home.mille("image", "blame", "new", "/nothing")[2] == 1
