"""The engine's way to registries, as the settings' environment and configuration files describe it."""

from __future__ import annotations

from millefeuille.progress import Progress
from millefeuille.registry.client import Registries
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.proxies import Proxies
from millefeuille.settings import Settings
from millefeuille.values import replace


def credentials(settings: Settings) -> Credentials:
    """The user's accounts at registries. Reads nothing yet."""
    return Credentials.load(settings.environment, settings.home)


def registries(settings: Settings, progress: Progress, *, insecure: str = "") -> Registries:
    """All registries; the host `insecure` may be spoken to without a certificate.

    Reads configuration, opens no connection. Raises Invalid for broken configuration.
    """
    environment = settings.environment
    hosts = Hosts.load(environment, settings.home)
    if insecure:
        marked = hosts.daemon.insecure | {insecure}
        hosts = replace(hosts, daemon=replace(hosts.daemon, insecure=marked))
    return Registries(hosts, credentials(settings), progress, proxies=Proxies.load(environment))
