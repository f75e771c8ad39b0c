"""The signals that STOPSIGNAL accepts, by name or number."""

from __future__ import annotations

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.oci.signals import InvalidSignal, signal_number


def check_signal(signal: str) -> None:
    """Raises Complaint for a text that names no signal."""
    try:
        signal_number(signal)
    except InvalidSignal as error:
        raise Complaint(str(error)) from None
