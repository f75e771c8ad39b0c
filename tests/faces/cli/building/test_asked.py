"""What the flags and the environment of `mille build` come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.faces.cli.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home directory of its own."""
    directory = tmp_path / "home"
    directory.mkdir()
    return Home(directory)


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        ((), {"SOURCE_DATE_EPOCH": "5"}, ("5", "1970-01-01T00:00:05Z")),
        (("--build-arg", "SOURCE_DATE_EPOCH=6"), {"SOURCE_DATE_EPOCH": "5"}, ("6", "1970-01-01T00:00:06Z")),
        (("--build-arg", "SOURCE_DATE_EPOCH"), {"SOURCE_DATE_EPOCH": "5"}, ("5", "1970-01-01T00:00:05Z")),
        (("--timestamp", "7"), {"SOURCE_DATE_EPOCH": "5"}, ("", "1970-01-01T00:00:07Z")),
        (("--timestamp", "7"), {}, ("", "1970-01-01T00:00:07Z")),
    ],
)  # fmt: skip
def test_the_epoch_of_the_environment_is_a_build_argument(
    home: Home, tmp_path: Path, words: tuple[str, ...], environment: Mapping[str, str],
    expected: tuple[str, str],
) -> None:  # fmt: skip
    assert _dated(home, tmp_path, "FROM scratch\n", words, environment) == expected


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        ((), {}, "1970-01-01T00:00:08Z"),
        ((), {"SOURCE_DATE_EPOCH": "5"}, "1970-01-01T00:00:05Z"),
        (("--timestamp", "7"), {}, "1970-01-01T00:00:07Z"),
    ],
)  # fmt: skip
def test_a_timestamp_asked_for_goes_before_that_of_the_dockerfile(
    home: Home, tmp_path: Path, words: tuple[str, ...], environment: Mapping[str, str], expected: str
) -> None:
    text = "ARG SOURCE_DATE_EPOCH=8\nFROM scratch\n"
    assert _dated(home, tmp_path, text, words, environment)[1] == expected


def _dated(
    home: Home, directory: Path, text: str, words: tuple[str, ...], environment: Mapping[str, str]
) -> tuple[str, str]:
    """What a stage sees of SOURCE_DATE_EPOCH, and when the image is said to be made."""
    context = directory / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(f"{text}ARG SOURCE_DATE_EPOCH\nLABEL at=$SOURCE_DATE_EPOCH\n")
    _, told, code = home.mille("build", "-t", "x:1", *words, str(context), environment=environment)
    assert code == 0, told
    assert "not consumed" not in told
    made: Any = json.loads(home.mille("image", "inspect", "x:1")[0])[0]
    return made["Config"]["Labels"]["at"], made["Created"]
