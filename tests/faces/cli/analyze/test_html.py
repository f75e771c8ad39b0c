"""The report as a page: what is in it, that no name breaks out of it, and that it works in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.analyze.browser import Tab, tab
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

HOSTILE = (
    "</script><script>window.broken=1</script>".replace("/", "\\"), "<!--<script>", "a&lt;b", "\u2028\u2029",
    "<img src=x onerror=window.broken=1>",
    "{{script}}", "'\"`${window.broken=1}", "\u202etxt.exe", "__proto__",
)  # fmt: skip
STEPS = ["/bin/sh -c </script><script>window.broken=1</script>", "/bin/sh -c rm /etc/a"]


class Page(HTMLParser):
    """The scripts of a page and whatever it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.loads: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a script, or what is loaded."""
        self.loads += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href")]
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        """What is in a script."""
        if self._inside:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self._inside = False


@pytest.fixture
def report(home: Home, tmp_path: Path) -> Path:
    names = [f"etc/{name}".encode() for name in HOSTILE]
    base = rawtars.archive(
        rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"x" * 300), rawtars.file(b"top", b"y" * 700),
        rawtars.file(b"usr/lib/deep/large.bin", b"z" * 4000), rawtars.file(b"etc/\xff", b"q" * 50),
        *(rawtars.file(name, b"h" * 100) for name in names),
    )  # fmt: skip
    write_archive(tmp_path / "image.tar", [base, rawtars.archive(rawtars.file(b"etc/.wh.a"))], STEPS)
    target = tmp_path / "report.html"
    target.write_text("an older and much longer report" * 10_000)
    out, err, code = home.mille("analyze", str(tmp_path / "image.tar"), "--html", str(target))
    assert (out, err, code) == ("", "", 0)
    return target


@pytest.fixture
def opened(report: Path, tmp_path: Path) -> Iterator[Tab]:
    with tab(tmp_path / "profile") as found:
        found.open(report)
        yield found


def test_the_page_has_two_scripts_and_loads_nothing(report: Path) -> None:
    text = report.read_text()
    page = Page(text)
    assert page.loads == []
    assert [attributes.get("type") for attributes, _ in page.scripts] == ["application/json", None]
    assert not re.search(r"https?://", text)
    assert "default-src 'none'" in text


def test_the_data_are_all_files_by_layer(report: Path) -> None:
    data = json.loads(Page(report.read_text()).scripts[0][1])
    files = data["files"]
    rows = {
        (data["directories"][directory], name): (size, layer, killer)
        for directory, name, size, layer, killer in zip(*files.values(), strict=True)
    }
    assert rows["etc", "a"] == (300, 0, 1)
    assert rows["", "top"] == (700, 0, -1)
    assert rows["usr/lib/deep", "large.bin"] == (4000, 0, -1)
    assert ("etc", "\\xff") in rows
    assert ("etc", "__proto__") in rows
    assert len(rows) == 4 + len(HOSTILE)
    assert data["waste"] == [["etc/a", 300, 0, 1, "deleted"]]


def test_no_name_ends_the_script_it_is_in(report: Path) -> None:
    raw = Page(report.read_text()).scripts[0][1]
    assert not set("<>&\u2028\u2029") & set(raw)
    assert "window.broken" in raw


def test_a_browser_shows_it_without_an_error(opened: Tab, report: Path) -> None:
    assert opened.run("document.querySelectorAll('.tile').length") > 5
    assert opened.run("document.getElementById('count').textContent") == "13 files, 5.95kB"
    assert opened.run("typeof window.broken") == "undefined"
    assert opened.run("document.scripts.length") == 2
    assert opened.errors == []
    assert opened.requests == [report.as_uri()]


def test_search_finds_and_dims(opened: Tab) -> None:
    _type(opened, "LARGE")
    assert opened.run("document.getElementById('count').textContent") == "1 files, 4kB"
    assert _rows(opened) == ["/usr/lib/deep/large.bin"]
    assert opened.run("document.querySelectorAll('.tile.dim').length") > 0
    bright = "[...document.querySelectorAll('.tile:not(.dim)')].map(each => each.title.split('\\n')[0])"
    assert "large.bin" in opened.run(bright)
    assert "top" not in opened.run(bright)
    _type(opened, "")
    assert opened.run("document.querySelectorAll('.tile.dim').length") == 0
    opened.run("document.getElementById('vain').click()")
    assert _rows(opened) == ["/etc/a"]
    assert opened.errors == []


def test_a_press_on_a_tile_zooms_and_the_trail_leads_back(opened: Tab) -> None:
    opened.run(
        "[...document.querySelectorAll('.tile')].find(each => each.title.startsWith('usr\\n')).click()"
    )
    assert len(_trail(opened)) == 3
    assert opened.run("document.querySelector('#map > .tile').title").startswith("lib\n")
    opened.run("document.querySelector('#trail button').click()")
    assert len(_trail(opened)) == 1
    _type(opened, "deep")
    opened.run("document.querySelector('#list button').click()")
    assert _trail(opened)[-1].startswith("deep ")
    assert opened.errors == []


def test_a_press_on_an_empty_file_zooms_to_what_has_an_area_above_it(home: Home, tmp_path: Path) -> None:
    layer = rawtars.archive(
        rawtars.file(b"usr/bin/large", b"z" * 4000), rawtars.file(b"usr/bin/none"),
        rawtars.file(b"usr/no/bytes/nothing"),
    )  # fmt: skip
    write_archive(tmp_path / "image.tar", [layer])
    assert home.mille("analyze", str(tmp_path / "image.tar"), "--html", str(tmp_path / "page.html"))[2] == 0
    with tab(tmp_path / "profile") as page:
        page.open(tmp_path / "page.html")
        for arranged in ("layers", "paths"):
            _arrange(page, arranged)
            _type(page, "none")
            page.run("document.querySelector('#list button').click()")
            assert _trail(page)[-1].startswith("bin ")
            _type(page, "nothing")
            page.run("document.querySelector('#list button').click()")
            assert _trail(page)[-1].startswith("usr ")
        assert page.errors == []


def test_words_of_a_config_are_shown_as_on_a_terminal(home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "a\u202eb\x1b.tar"
    layers = [rawtars.archive(rawtars.file(b"a", b"x"))]
    steps = ["/bin/sh -c one\n\u202etwo \x1b[31m"]
    write_archive(archive, layers, steps, os="linux\x1b", architecture="a\u202eb")
    text = home.mille("analyze", str(archive), "--html", "-")[0]
    assert not {"\u202e", "\x1b"} & set(text)
    data = json.loads(Page(text).scripts[0][1])
    assert data["layers"][0]["createdBy"] == "/bin/sh -c one \ufffdtwo \ufffd[31m"
    assert data["image"]["platform"] == "linux\ufffd/a\ufffdb"
    assert data["image"]["name"] == f"{tmp_path}/a\ufffdb\ufffd.tar"
    assert f"<title>{tmp_path}/a\ufffdb\ufffd.tar</title>" in text


def test_paths_of_all_layers_together(opened: Tab) -> None:
    _arrange(opened, "paths")
    tops = opened.run(
        "[...document.querySelectorAll('#map > .tile')].map(each => each.title.split('\\n')[0])"
    )
    assert sorted(tops) == ["etc", "top", "usr"]
    assert opened.errors == []


def _arrange(page: Tab, value: str) -> None:
    page.run(
        f"(() => {{ const select = document.getElementById('arrange'); select.value = '{value}';"
        " select.dispatchEvent(new Event('change')); })()"
    )


def _type(page: Tab, text: str) -> None:
    page.run(
        f"(() => {{ const line = document.getElementById('search'); line.value = {json.dumps(text)};"
        " line.dispatchEvent(new Event('input')); })()"
    )


def _rows(page: Tab) -> list[str]:
    found: list[str] = page.run(
        "[...document.querySelectorAll('#list button')].map(each => each.textContent)"
    )
    return found


def _trail(page: Tab) -> list[str]:
    found: list[str] = page.run(
        "[...document.querySelectorAll('#trail button')].map(each => each.textContent)"
    )
    return found
