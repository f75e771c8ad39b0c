"""A text in quotes as Go's %q writes it, which Docker's messages hold."""

from __future__ import annotations

from millefeuille.oci.gotext import quoted

__all__ = ["quoted"]
