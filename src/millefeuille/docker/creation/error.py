"""The error of everything here."""

from __future__ import annotations

from millefeuille.errors import Invalid


class InvalidOption(Invalid, ValueError):
    """A value that its flag cannot have; the message is Docker's. Also a ValueError, as readers raise."""
