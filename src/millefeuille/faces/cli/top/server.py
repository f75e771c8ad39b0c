"""The registry that `login` and `logout` are about, as a person names it."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.oci.reference import HUB
from millefeuille.values import dataclass

_HUB_SHOWN: Final = "https://index.docker.io/v1/"
_HUB_NAMES: Final = frozenset({"", HUB, "index.docker.io", _HUB_SHOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`registry` is docker.io or host[:port]; `shown` is how Docker names it to a person."""

    registry: str
    shown: str

    @classmethod
    def parse(cls, text: str) -> Server:
        """The registry meant by "" (Docker Hub), a host with or without port, or a URL."""
        host = text.partition("://")[2] if "://" in text else text
        host = host.partition("/")[0]
        if text in _HUB_NAMES or host in _HUB_NAMES:
            return cls(registry=HUB, shown=_HUB_SHOWN)
        return cls(registry=host, shown=host)

    @property
    def is_hub(self) -> bool:
        """Whether it is Docker Hub."""
        return self.registry == HUB
