"""The way to registries as the environment describes it."""

from __future__ import annotations

import pytest

from millefeuille.engine.description import describe
from millefeuille.engine.registries import registries
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.registry.proxies import BadProxy
from millefeuille.registry.transport import Unreachable
from millefeuille.settings import Settings, settle

REFERENCE = Reference.parse("registry.invalid/app:1")


@pytest.fixture
def settings(tmp_path):
    """Settings with an environment of their own."""
    (tmp_path / "registries.conf").write_text("")
    (tmp_path / "daemon.json").write_text("{}")
    base = {
        "CONTAINERS_REGISTRIES_CONF": str(tmp_path / "registries.conf"),
        "MILLE_DAEMON_JSON": str(tmp_path / "daemon.json"),
        "MILLE_ROOT": str(tmp_path / "store"),
        "PATH": "/usr/bin:/bin",
    }

    def made(**environment: str) -> Settings:
        return settle({**base, **environment}, uid=0, home=str(tmp_path))

    return made


def test_a_proxy_without_a_scheme(settings):
    """As curl and Docker take it: the proxy speaks HTTP."""
    way = registries(settings(HTTPS_PROXY="127.0.0.1:1"), Silent())
    with pytest.raises(Unreachable, match=r"dial tcp 127\.0\.0\.1:1: connect"):
        way.repository(REFERENCE).resolve(REFERENCE)


def test_a_proxy_that_cannot_be(settings):
    way = registries(settings(HTTPS_PROXY="socks5://us:canary@127.0.0.1:1"), Silent())
    with pytest.raises(BadProxy, match=r"^HTTPS_PROXY: SOCKS proxies are not supported"):
        way.repository(REFERENCE).resolve(REFERENCE)


def test_what_is_told_of_a_proxy(settings):
    told = describe(settings(HTTPS_PROXY="us:canary@proxy.example:3128", NO_PROXY="a.example"))
    assert (told.https_proxy, told.no_proxy) == ("http://proxy.example:3128", "a.example")
