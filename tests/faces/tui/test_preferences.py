"""The files of Dive's configuration: where they are looked for, what they say, and what is no YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.faces.tui.keys import LAYERS, TREE, Keys
from millefeuille.faces.tui.preferences import BadPreference, Preferences, parse, preferences

DIVE = """\
# supported options are "docker" and "podman"
container-engine: docker
ignore-errors: false
log:
  enabled: true
  path: ./dive.log

keybinding:
  quit: ctrl+c
  toggle-view: tab
  filter-files: ctrl+f, ctrl+slash
  compare-all: 'ctrl + a'
  toggle-collapse-dir: "x"

diff:
  # You can change the default files shown in the filetree
  hide:
    - added
    - modified   # both of ours

filetree:
  collapse-dir: true
  pane-width: 0.7
  show-attributes: false

layer:
  show-aggregated-changes: true
"""


def test_all_that_dive_knows_is_read() -> None:
    found = parse(DIVE)
    assert found.hidden == {"added", "modified", "metadata", "type"}
    assert (found.collapsed, found.attributes, found.aggregated, found.tree_share) == (True, False, True, 0.7)
    keys = Keys(found.keys)
    assert keys.action(TREE, "x") == "toggle-collapse-dir"
    assert keys.action(TREE, "space") is None
    assert keys.action(LAYERS, "ctrl+a") == "compare-all"
    assert keys.action(LAYERS, "ctrl+underscore") == "filter-files"
    assert keys.action(LAYERS, "q") is None


def test_nothing_in_a_file_is_the_default() -> None:
    assert parse("") == parse("---\n# nothing\n") == parse("diff:\n  hide:\n") == Preferences()


@pytest.mark.parametrize(
    "text",
    [
        "KeyBinding:\n  Quit: z\nDiff:\n  HIDE: [added]", "keybinding.quit: z\ndiff.hide: [added]",
        "keybinding:\n  quit: a\nKeybinding.Quit: z\nDIFF:\n  hide: [Added]",
    ],
)  # fmt: skip
def test_names_are_told_as_dive_tells_them(text: str) -> None:
    assert parse(text) == Preferences(keys={"quit": "z"}, hidden=frozenset({"added"}))


def test_a_mark_of_the_byte_order_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / ".dive.yaml").write_text("\ufeffkeybinding:\n  quit: z\n", encoding="utf-8")
    assert preferences({}, str(tmp_path)).keys == {"quit": "z"}


def test_a_key_in_quotes_is_one_whatever_it_says() -> None:
    assert parse("keybinding:\n  quit: 'null'") == Preferences(keys={"quit": "null"})
    assert parse("keybinding:\n  quit: null") == Preferences()


@pytest.mark.parametrize("key", ["nosuch+q", "nosuch", "q,ctrl+nosuch", "f25", "ctrl+", "escape+q"])
def test_keys_that_no_keyboard_has_are_refused(key: str) -> None:
    with pytest.raises(BadPreference, match=r"keybinding\.quit: there is no key"):
        parse(f"keybinding:\n  quit: {key}")


@pytest.mark.parametrize(
    "place", [".dive.yaml", ".config/dive/any.yaml", "xdg/dive/a.yml", "dirs/two/dive/b.yaml"]
)
def test_places(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("filetree:\n  collapse-dir: true\n")
    environment = {
        "XDG_CONFIG_HOME": f"{tmp_path}/xdg",
        "XDG_CONFIG_DIRS": f"{tmp_path}/one:{tmp_path}/dirs/two",
    }
    assert preferences(environment, str(tmp_path)).collapsed
    assert not preferences({}, str(tmp_path / "elsewhere")).collapsed


@pytest.mark.parametrize("text", ["TRUE", "1", "t", "T", "2", "0x10", "1.0", "'true'", "Yes", "on"])
def test_what_is_true_for_dive(text: str) -> None:
    assert parse(f"filetree:\n  collapse-dir: {text}").collapsed


@pytest.mark.parametrize("text", ["FALSE", "0", "f", "F", "0x0", "'false'", "No", "off"])
def test_what_is_false_for_dive(text: str) -> None:
    assert not parse(f"filetree:\n  show-attributes: {text}").attributes


def test_no_value_is_the_default() -> None:
    assert parse("filetree:\n  show-attributes:\nkeybinding:\n  quit: ~\ndiff:") == Preferences()


@pytest.mark.parametrize("text", ["0", "1", "2", "-0.5", "wide", "''", ".nan", "[0.2]"])
def test_a_width_that_is_none_is_the_half_as_in_dive(text: str) -> None:
    assert parse(f"filetree:\n  pane-width: {text}").tree_share == 0.5


@pytest.mark.parametrize(
    "text",
    [
        "diff:\n  hide: [blue]",
        "keybinding:\n  quit: a\n  Quit: b", "keybinding:\n  quit:\n    a: b",
        "layer: 3", "filetree:\n  collapse-dir: maybe",
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(text: str) -> None:
    with pytest.raises(BadPreference):
        parse(text)


def test_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".dive.yaml").write_text("a: 1\n\tb: 2\n")
    with pytest.raises(BadPreference, match=r"\.dive\.yaml: line 2: a tab"):
        preferences({}, str(tmp_path))


def test_a_directory_in_the_place_of_the_file_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / ".dive.yaml").mkdir()
    with pytest.raises(BadPreference) as error:
        preferences({}, str(tmp_path))
    assert str(error.value) == f"{tmp_path}/.dive.yaml: is a directory"
