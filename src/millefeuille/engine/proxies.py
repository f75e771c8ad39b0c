"""The proxies that the settings' environment names."""

from __future__ import annotations

from millefeuille.settings import Settings


def proxy(settings: Settings, scheme: str) -> str:
    """The proxy for http or https, or with `no` the hosts that need none; "" when there is nothing.

    The variable in lower case goes first, as in curl and Go.
    """
    name = f"{scheme}_proxy"
    return settings.environment.get(name) or settings.environment.get(name.upper()) or ""
