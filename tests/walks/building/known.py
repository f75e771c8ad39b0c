"""Where our images differ from those of other builders, and why that is meant."""

from __future__ import annotations

from typing import Final

from tests.walks.building.case import Known

KNOWN: Final[list[Known]] = []

RANDOM: Final[list[Known]] = []
