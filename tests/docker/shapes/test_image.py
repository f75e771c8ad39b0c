"""The shape of an inspected image against what a real engine answered for images made alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from millefeuille.docker import rfc3339
from millefeuille.docker.inspection import IMAGE, render
from millefeuille.docker.shapes.config import shown_config
from millefeuille.docker.shapes.image import ImageFacts, image_inspect

_TEXTS = json.loads((Path(__file__).parents[1] / "vectors" / "inspected.json").read_text())["texts"]


def _config(shown: dict[str, Any]) -> dict[str, Any]:
    """A config blob as the engine holds it: more members than it shows, and empty ones."""
    process = {"Hostname": "x", "Tty": False, "Env": None, "Entrypoint": None, "Volumes": None, "User": ""}
    return {
        "architecture": shown["Architecture"],
        "os": shown["Os"],
        "config": process | shown["Config"],
        "container_config": {"Cmd": ["/bin/sh"]},
        "created": shown["Created"],
        "docker_version": shown["DockerVersion"],
        "author": shown["Author"],
        "history": [{"comment": "an older step"}, {"comment": shown["Comment"]}],
        "rootfs": {"type": "layers", "diff_ids": shown["RootFS"]["Layers"]},
    }


@pytest.mark.parametrize("name", _TEXTS)
def test_shown_as_the_engine_shows_it(name: str) -> None:
    (shown,) = json.loads(_TEXTS[name])
    facts = ImageFacts(
        id=shown["Id"],
        tags=tuple(shown["RepoTags"]),
        digests=tuple(shown["RepoDigests"]),
        parent=shown["Parent"],
        size=shown["Size"],
        last_tagged=rfc3339.nanoseconds(shown["Metadata"]["LastTagTime"]) or 0,
        driver=shown["GraphDriver"]["Name"],
        driver_data=shown["GraphDriver"]["Data"],
    )
    assert render([image_inspect(_config(shown), facts)], "", IMAGE) == (_TEXTS[name], ())


def test_an_empty_config() -> None:
    assert image_inspect({}, ImageFacts(id="sha256:1", driver="erofs")) == {
        "Id": "sha256:1",
        "RepoTags": [],
        "RepoDigests": [],
        "Parent": "",
        "Comment": "",
        "DockerVersion": "",
        "Author": "",
        "Config": {},
        "Architecture": "",
        "Os": "",
        "Size": 0,
        "GraphDriver": {"Data": None, "Name": "erofs"},
        "RootFS": {"Type": "layers"},
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    }


def test_variant_and_version_follow_what_they_refine() -> None:
    names = list(image_inspect({"variant": "v7", "os.version": "10"}, ImageFacts(id="")))
    assert names[names.index("Architecture") :][:4] == ["Architecture", "Variant", "Os", "OsVersion"]


def test_the_comment_of_the_image_goes_before_that_of_its_last_step() -> None:
    config = {"comment": "own", "history": [{"comment": "step"}]}
    assert image_inspect(config, ImageFacts(id=""))["Comment"] == "own"


def test_known_members_in_order_without_empty_ones() -> None:
    config = {
        "Shell": ["/bin/sh"],
        "Labels": {"b": "2", "a": "1"},
        "Cmd": "one string",
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "Volumes": {},
        "Healthcheck": {"Retries": 3, "Test": ["NONE"], "Timeout": 0},
        "StopSignal": None,
        "Unknown": 1,
        "Env": [],
    }
    shown = shown_config(config)
    assert json.dumps(shown) == (
        '{"ExposedPorts": {"443/tcp": {}, "80/tcp": {}}, "Cmd": ["one string"], '
        '"Labels": {"a": "1", "b": "2"}, "Healthcheck": {"Test": ["NONE"], "Retries": 3}, '
        '"Shell": ["/bin/sh"]}'
    )


@pytest.mark.parametrize("value", [5, "x", [1], {"a": 1}, True, None])
def test_members_of_the_wrong_type_do_no_harm(value: object) -> None:
    names = "User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal Healthcheck".split()
    shown = shown_config(dict.fromkeys(names, value))
    assert all(isinstance(shown[name], str) for name in ("User", "WorkingDir", "StopSignal") if name in shown)
