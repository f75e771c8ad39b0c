"""What the runtime leaves of a container that has ended: its control groups, and its own state."""

from __future__ import annotations

import os

from millefeuille.containers.monitor import launch
from millefeuille.containers.monitor.order import Order


def clear(order: Order) -> None:
    """Remove it. The runtime takes longer to begin than this does altogether, and is called only where
    somebody still is in a group.
    """
    try:
        for group in order.groups:
            _remove(group)
        for name in _names(order.runtime_state):
            os.unlink(f"{order.runtime_state}/{name}")
        _remove(order.runtime_state)
    except OSError:
        launch.run([*order.runtime, "delete", "--force", order.id])


def _remove(directory: str) -> None:
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
