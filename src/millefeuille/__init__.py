"""A container image engine that needs no daemon. `Engine` is the way in; see millefeuille.api."""

from __future__ import annotations

TYPE_CHECKING = False  # the processes beside containers load this too: typing would be a tenth of their size
if TYPE_CHECKING:
    from typing import Any

    from millefeuille.api import Engine, Image, Layer

__version__ = "0.1.0"
__all__ = ["Engine", "Image", "Layer"]


def __getattr__(name: str) -> Any:
    """The public names, loaded on first use: the command line imports this package too (PEP 562)."""
    if name in __all__:
        import importlib

        return getattr(importlib.import_module("millefeuille.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
