"""Image configs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.errors import Invalid
from millefeuille.oci.config import MAXIMUM_BYTES, History, check_layers, parse
from millefeuille.oci.configtypes import InvalidConfig
from millefeuille.oci.digest import Digest

_DIFF_IDS = [str(Digest.of(b"one")), str(Digest.of(b"two"))]
_CONFIG: dict[str, Any] = {
    "os": "linux",
    "architecture": "arm64",
    "variant": "v8",
    "created": "2026-11-23T03:04:07.325303826Z",
    "author": "me",
    "config": {"Cmd": ["sh"], "Labels": {"a": "b", "n": None}},
    "rootfs": {"type": "layers", "diff_ids": _DIFF_IDS},
    "history": [
        {"created": "2026-11-23T03:04:07Z", "created_by": "/bin/sh", "comment": "c"},
        {"empty_layer": True},
        {},
    ],
    "x-unknown": {"deep": [1, 2]},
}


def _raw(**changes: object) -> bytes:
    return json.dumps(_CONFIG | changes).encode()


def test_a_config() -> None:
    raw = _raw()
    config = parse(raw)
    assert config.id == Digest.of(raw)
    assert config.raw is raw
    assert str(config.platform) == "linux/arm64"
    assert [str(digest) for digest in config.diff_ids] == _DIFF_IDS
    assert config.history[0] == History(
        created="2026-11-23T03:04:07Z", created_by="/bin/sh", comment="c", author="", empty_layer=False
    )
    assert [entry.empty_layer for entry in config.history] == [False, True, False]
    assert (config.created, config.author) == ("2026-11-23T03:04:07.325303826Z", "me")
    assert config.process["Cmd"] == ["sh"]
    assert config.labels == {"a": "b", "n": ""}
    check_layers(config, 2, "x")


def test_unknown_members_are_kept() -> None:
    assert parse(_raw()).fields["x-unknown"] == {"deep": [1, 2]}


def test_an_empty_config() -> None:
    config = parse(b"{}")
    assert (str(config.platform), config.diff_ids, config.history, config.labels) == ("linux", (), (), {})
    check_layers(config, 0, "x")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "x: not a JSON object"),
        (b'{"os":"linux","os":"windows"}', "x: a key appears twice"),
        (_raw(rootfs={"diff_ids": "sha256"}), "x: rootfs.diff_ids must be a list"),
        (_raw(rootfs={"diff_ids": ["sha256:1"]}), "invalid checksum digest"),
        (_raw(rootfs={"diff_ids": [None]}), "invalid checksum digest format"),
        (_raw(os=5), "x: os and architecture must be strings"),
        (_raw(variant=[]), "x: os and architecture must be strings"),
        (_raw(history=5), "x: history must be a list"),
        (_raw(history={}), "x: history must be a list"),
        (_raw(history=["x"]), "x: a history entry must be an object"),
        (b"{}" + b" " * MAXIMUM_BYTES, "x: larger than 8388608 bytes"),
    ],
)
def test_refused(raw: bytes, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(raw, "x")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("value", [None, ""])
def test_texts_may_be_missing(value: object) -> None:
    history = [{"created": value, "comment": value}, None]
    config = parse(_raw(created=value, author=value, config=None, rootfs=None, history=history))
    assert (config.created, config.author, config.labels) == ("", "", {})
    assert config.history == (History(), History())


@pytest.mark.parametrize(
    ("changes", "layers", "message"),
    [
        ({}, 3, "x: 3 layers, but the config lists 2 diff IDs"),
        ({"history": [{}, {}, {}]}, 2, "x: 2 layers, but the history has 3 that are not empty"),
    ],
)
def test_layers_must_agree(changes: dict[str, object], layers: int, message: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        check_layers(parse(_raw(**changes)), layers, "x")
    assert str(caught.value) == message


@pytest.mark.parametrize("history", [None, [], [{}], [{"empty_layer": True}]])
def test_a_history_may_tell_of_fewer_layers(history: object) -> None:
    config = parse(_raw(history=history))
    check_layers(config, 2, "x")
    assert config.filled_steps == (history == [{}])


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(_CONFIG)), _ANYTHING))
def test_members_of_any_type_are_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        config = parse(_raw(**changes), "x")
    except Invalid:
        return
    assert isinstance(config.created, str)
    assert all(isinstance(text, str) for text in (*config.labels, *config.labels.values()))
