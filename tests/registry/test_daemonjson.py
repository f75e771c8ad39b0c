"""Reading daemon.json."""

from __future__ import annotations

import ipaddress
import json

import pytest

from millefeuille.errors import MilleError
from millefeuille.registry.daemonjson import BadDaemonJson, DaemonJson, load


@pytest.fixture
def read(tmp_path):
    def read_value(value):
        path = tmp_path / "daemon.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return load({"MILLE_DAEMON_JSON": str(path)})

    return read_value


def test_everything(read):
    found = read(
        {
            "registry-mirrors": ["http://127.0.0.1:5000/", "https://mirror.example"],
            "insecure-registries": ["Reg.example:5000", "10.0.0.0/8", "http://plain.example"],
            "data-root": "/ignored",
        }
    )
    assert found == DaemonJson(
        mirrors=(("http", "127.0.0.1:5000"), ("https", "mirror.example")),
        insecure=frozenset({"reg.example:5000", "plain.example"}),
        networks=(ipaddress.ip_network("10.0.0.0/8"),),
    )


@pytest.mark.parametrize("text", ["", "{}", " \n"])
def test_empty(read, text):
    assert read(text) == DaemonJson()


@pytest.mark.parametrize(
    "mirror",
    [
        "mirror.example",
        "ftp://m.example",
        "https://m.example/path",
        "https://u:p@m.example",
        "https://m?x",
        "http://m:x",
    ],
)
def test_bad_mirrors(read, mirror):
    with pytest.raises(BadDaemonJson, match="invalid mirror"):
        read({"registry-mirrors": [mirror]})


@pytest.mark.parametrize("value", ["[", "[]", '{"registry-mirrors": "x"}', '{"insecure-registries": [1]}'])
def test_malformed(read, value):
    with pytest.raises(MilleError):
        read(value)


def test_file_that_was_asked_for_must_be_there(tmp_path):
    with pytest.raises(BadDaemonJson, match="no such file"):
        load({"MILLE_DAEMON_JSON": str(tmp_path / "none")})
