"""Telling: what the journal learns of a container's runs from the one who sees them."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.containers.monitor.order import Order
from millefeuille.plainjson import loads
from millefeuille.store.journal import note

_DRIVERS: Final = {"host": "host", "none": "null"}  # of networks by their names; all others are bridges


class Teller:
    """Notes what befalls one container, and what it is connected to."""

    def __init__(self, order: Order) -> None:
        self._id = order.id
        self._told = order.telling
        self._networks: list[dict[str, str]] = []

    def start(self) -> None:
        """It has what it needs, and runs."""
        self._look()
        for network in self._networks:
            self._of("network", "connect", network)
        for volume in self._told["volumes"]:
            self._of("volume", "mount", volume)
        self.tell("start")

    def die(self, code: int, seconds: float, *, oom: bool) -> None:
        """Its process has ended, after so many seconds."""
        if oom:
            self.tell("oom")
        self.tell("die", exitCode=str(code), execDuration=str(int(seconds)))
        self._look()  # it may have left some, and joined others
        for network in self._networks:
            self._of("network", "disconnect", network)
        for volume in self._told["volumes"]:
            self._of("volume", "unmount", {key: volume[key] for key in ("actor", "driver")})

    def tell(self, action: str, **more: str) -> None:
        """Something has befallen the container, whatever its name is by now."""
        facts = self._told["facts"] | more
        try:
            with open(self._told["record"], encoding="utf-8") as file:
                facts["name"] = loads(file.read())["Name"]
        except (OSError, ValueError, KeyError):
            pass  # then the name it had when it was started
        note(self._told["journal"], "container", action, self._id, facts)

    def _look(self) -> None:
        """Which networks it is on now; those of the last look where that cannot be read any more."""
        try:
            with open(self._told["lease"], encoding="utf-8") as file:
                ends = loads(file.read())["Lease"]["endpoints"]
            self._networks = [
                {
                    "actor": end["network_id"], "name": end["network"],
                    "type": _DRIVERS.get(end["network"], "bridge"),
                }
                for end in ends
            ]  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return

    def _of(self, kind: str, action: str, told: dict[str, str]) -> None:
        facts = {key: value for key, value in told.items() if key != "actor"} | {"container": self._id}
        note(self._told["journal"], kind, action, told["actor"], facts)
