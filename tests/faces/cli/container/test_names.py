"""Empty names, as a variable of the shell's that is not set makes them: never taken for a success."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        *((words, "invalid container name or ID: value is empty") for words in (
            "stop", "kill", "logs", "pause", "wait", "port", "top", "restart", "export", "commit", "inspect",
            "container inspect", "update -m 64m",
        )),
        ("start", "invalid container name or ID: value is empty\nError: failed to start containers: "),
        ("diff", "Container name cannot be empty"),
        ("rm", "container name cannot be empty"),
        ("rm -f", "container name cannot be empty"),
        *((f"volume {verb}", "invalid volume name or ID: value is empty") for verb in ("rm -f", "inspect")),
        *((f"network {verb}", "invalid network name or ID: value is empty") for verb in ("rm -f", "inspect")),
    ],
)  # fmt: skip
def test_an_empty_name_is_refused_in_dockers_words(home: Home, words: str, complaint: str) -> None:
    out, err, code = home.mille(*words.split(), "")
    assert (out, err, code) == ("[]\n" if "inspect" in words else "", complaint + "\n", 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [("stop", 1), ("kill", 1), ("rm", 1), ("rm -f", 0), ("pause", 1), ("wait", 1), ("update -m 6m", 1)],
)
def test_where_there_is_no_store_there_is_no_container(home: Home, words: str, code: int) -> None:
    assert home.mille(*words.split(), "web") == ("", "Error: No such container: web\n", code)
    assert not home.store.exists()
