"""Entitlements: what a command of a build has only when the user grants it.

Source: BuildKit, `--allow` of `docker buildx build`.
"""

from __future__ import annotations

from collections.abc import Set

from millefeuille.annotations import Final
from millefeuille.errors import Denied

NETWORK_HOST: Final = "network.host"
INSECURE: Final = "security.insecure"


class EntitlementMissing(Denied):
    """The command asks for more than it was granted."""


def hold(network: str, security: str, allowed: Set[str]) -> None:
    """Hold that a command may have the network and security that it asks for. Raises EntitlementMissing."""
    for name, asked in ((NETWORK_HOST, network == "host"), (INSECURE, security == "insecure")):
        if asked and name not in allowed:
            raise EntitlementMissing(f"{name} is not allowed", advice=f"Build with --allow {name}.")
