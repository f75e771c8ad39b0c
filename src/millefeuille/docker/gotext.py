"""Text as Go writes it within Docker's messages."""

from __future__ import annotations

from millefeuille.oci.gotext import quoted

__all__ = ["quoted"]
