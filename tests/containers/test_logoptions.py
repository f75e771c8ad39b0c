"""What `--log-opt` comes to, in Docker's words where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.containers import logoptions
from millefeuille.containers.logoptions import InvalidLogOption, LogOptions


def settled(config: dict[str, Any] | None = None, **options: str) -> LogOptions:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return logoptions.settled({"LogConfig": {"Type": "json-file", "Config": named}}, config or {})


@pytest.mark.parametrize(
    ("text", "size"),
    [("10", 10), ("1k", 1000), ("1kb", 1000), ("1.5m", 1_500_000), ("2 GiB", 2 * 10**9), ("1T", 10**12)],
)
def test_sizes(text: str, size: int) -> None:
    assert settled(max_size=text).size == size


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_size": "nope"}, "invalid size: 'nope'"),
        ({"max_size": "-5"}, "invalid size: '-5'"),
        ({"max_size": ""}, "invalid size: ''"),
        ({"max_size": "0"}, "max-size must be a positive number"),
        ({"max_file": "0"}, "max-file cannot be less than 1"),
        ({"max_file": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ({"env_regex": "("}, "error parsing regexp"),
    ],
)
def test_wrong_values(options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidLogOption) as caught:
        settled(**options)
    assert str(caught.value).startswith("failed to initialize logging driver: ")
    assert words in str(caught.value)


def test_nothing_asked() -> None:
    assert logoptions.settled({}, {}) == LogOptions(attributes={})
    assert settled(max_file="3", max_size="1m") == LogOptions(size=10**6, files=3, attributes={})


def test_attributes() -> None:
    config = {"Env": ["A=1", "B=2", "PX=3", "none"], "Labels": {"b": "x", "com.y": "z", "A": "label"}}
    assert settled(config, labels="b,no", env="A,NO").attributes == {"b": "x", "A": "1"}
    assert settled(config, labels_regex="^com", env_regex="^P").attributes == {"com.y": "z", "PX": "3"}
    assert settled(config, labels="A").attributes == {"A": "label"}


def test_names() -> None:
    def check(driver: str, **options: str) -> None:
        logoptions.check({"LogConfig": {"Type": driver, "Config": options}})

    check("json-file", tag="", mode="blocking", labels="x")
    check("none", nope="1")
    with pytest.raises(InvalidLogOption, match="unknown log opt 'nope' for json-file log driver"):
        check("json-file", nope="1")
    with pytest.raises(InvalidLogOption, match="logging mode not supported: fast"):
        check("json-file", mode="fast")
