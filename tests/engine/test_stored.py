"""Images of the store whose history tells of fewer layers than there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.analysis.advice.script import from_history, matched
from millefeuille.analysis.advice.step import NO_LAYER, read_step
from millefeuille.analysis.dockerfile import dockerfile
from millefeuille.engine.store import existing
from millefeuille.engine.stored import stored
from millefeuille.settings import settle
from millefeuille.store.store import Store
from millefeuille.testing import rawtars

LAYERS = [rawtars.archive(rawtars.file(b"f%d" % number, b"x" * 50)) for number in range(4)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def load(home: Home, layers: int, steps: list[str], called: str) -> Store:
    path = home.store.with_name(f"{called}.tar")
    write_archive(path, LAYERS[:layers], steps, called)
    assert home.mille("load", "-i", str(path))[1:] == ("", 0)
    store = existing(settle({}, uid=0, home="/", root=str(home.store)))
    assert store is not None
    return store


def test_layers_that_nothing_is_told_of_have_no_words(home: Home) -> None:
    store = load(home, 3, ["RUN first"], "few")
    image = stored(store, "few").image
    assert [part.step.created_by for part in image.parts] == ["RUN first", "", ""]
    assert dockerfile(image) == "FROM scratch\nRUN first\n"
    told, _, code = home.mille("history", "--no-trunc", "--format", "{{.CreatedBy}}", "few")
    assert (told, code) == ("RUN first\n", 0)
    told, _, code = home.mille("dive", "few", "-j", "/dev/stdout")
    commands = [layer["command"] for layer in json.loads(told[: told.rindex("}") + 1])["layer"]]
    # As the real Dive 0.13.1 has it.
    assert (commands, code) == (["RUN first", "(missing)", "(missing)"], 0)


def test_no_step_is_said_to_have_made_a_layer_it_may_not_have_made(home: Home) -> None:
    image = stored(load(home, 3, ["RUN first"], "few"), "few").image
    assert [step.layer for step in from_history(image)] == [NO_LAYER, NO_LAYER]
    steps = [read_step("FROM x"), read_step("RUN first")]
    assert [step.layer for step in matched(steps, image)] == [NO_LAYER, NO_LAYER]
    assert [step.layer for step in matched(steps, image, [2, 3, 4])] == [NO_LAYER, NO_LAYER]


def test_steps_that_a_base_left_out_are_not_the_image_s_own(home: Home) -> None:
    load(home, 2, ["RUN base"], "base")
    store = load(home, 3, ["RUN base", "", "RUN own"], "child")
    image = stored(store, "child").image
    assert (image.base, image.base_steps) == (2, 0)
    assert dockerfile(image) == "FROM docker.io/library/base:latest\nRUN own\n"
    assert [(step.word, step.layer) for step in from_history(image)] == [("FROM", NO_LAYER), ("RUN", 2)]
