"""How many points and cases the sweeps ran, to be said at the end of the run."""

from __future__ import annotations

said: list[str] = []
