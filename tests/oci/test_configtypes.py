"""The types of an image config's members: what Docker refuses to load, and what it takes for the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millefeuille.errors import Invalid
from millefeuille.oci.config import parse


def _health(**check: object) -> dict[str, Any]:
    return {"config": {"Healthcheck": check}}


_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    f"{key}={json.dumps(value)}": ({"config": {key: value}}, f"x: config.{key} must be {kind}")
    for key, value, kind in (
        ("Cmd", [-1], "a list of strings"), ("Cmd", 5, "a list of strings"),
        ("Entrypoint", [1], "a list of strings"), ("Shell", [1], "a list of strings"),
        ("Env", [1], "a list of strings"), ("Env", "A=b", "a list of strings"),
        ("OnBuild", [True], "a list of strings"), ("Healthcheck", ["a"], "an object"),
        ("Labels", ["a=b"], "an object of strings"), ("Labels", {"a": 1}, "an object of strings"),
        ("Volumes", ["/v"], "an object of empty objects"),
        ("ExposedPorts", ["80/tcp"], "an object of empty objects"),
        ("ExposedPorts", {"80/tcp": 1}, "an object of empty objects"),
        ("User", 1000, "a string"), ("WorkingDir", 5, "a string"), ("StopSignal", 9, "a string"),
        ("Tty", 1, "true or false"), ("StopTimeout", "5", "a whole number"),
        ("StopTimeout", True, "a whole number"),
    )
} | {
    "a config": ({"config": "x"}, "x: config must be an object"),
    "rootfs": ({"rootfs": []}, "x: rootfs must be an object"),
    "author": ({"author": 5}, "x: author must be a string"),
    "created": ({"created": "x"}, "x: created must be a time as RFC 3339 writes it"),
    "a day": ({"created": "2024-02-30T00:00:00Z"}, "x: created must be a time as RFC 3339 writes it"),
    "interval": (_health(Interval=1.5), "x: config.Healthcheck.Interval must be a whole number"),
    "test": (_health(Test="x"), "x: config.Healthcheck.Test must be a list of strings"),
    "empty_layer": ({"history": [{"empty_layer": "false"}]}, "x: history: empty_layer must be true or false"),
    "time of a step": (
        {"history": [{"created": 5}]}, "x: history: created must be a time as RFC 3339 writes it"
    ),
    "config in capitals": ({"Config": {}}, "x: the key Config must be written config"),
    "config twice": ({"config": {}, "CONFIG": {}}, "x: the key CONFIG must be written config"),
    "a long s": ({"hi\u017ftory": []}, "x: the key hi\u017ftory must be written history"),
    "cmd": ({"config": {"cmd": ["x"]}}, "x: the key cmd must be written Cmd"),
    "a step": ({"history": [{"Empty_Layer": True}]}, "x: the key Empty_Layer must be written empty_layer"),
    "diff IDs": ({"rootfs": {"DIFF_IDS": []}}, "x: the key DIFF_IDS must be written diff_ids"),
}  # fmt: skip


@pytest.mark.parametrize("case", _REFUSED)
def test_refused(case: str) -> None:
    document, message = _REFUSED[case]
    with pytest.raises(Invalid) as caught:
        parse(json.dumps(document).encode(), "x")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"Cmd": "ls", "Shell": "sh"}, {"Cmd": ["ls"], "Shell": ["sh"]}),
        ({"Entrypoint": ""}, {"Entrypoint": [""]}),
        ({"Cmd": [None, "a"], "Env": None}, {"Cmd": ["", "a"], "Env": None}),
        ({"Labels": {"a": None, "A": "b"}}, {"Labels": {"a": "", "A": "b"}}),
        ({"Volumes": {"/v": None, "/V": {}}}, {"Volumes": {"/v": None, "/V": {}}}),
        ({"Healthcheck": {"Retries": -1}, "x": 5}, {"Healthcheck": {"Retries": -1}, "x": 5}),
    ],
)
def test_one_form(written: dict[str, Any], read: dict[str, Any]) -> None:
    raw = json.dumps({"config": written}).encode()
    config = parse(raw)
    assert config.process == read
    assert config.raw == raw
