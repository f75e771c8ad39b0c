"""index.json of a person's store: how often a command writes it, and what it names."""

from __future__ import annotations

import json

import pytest
from tests.faces.cli.home import Home

from millefeuille import files
from millefeuille.faces.cli.main import main
from millefeuille.store.mirror import REF_NAME


class Mirrored:
    """Runs commands within the test's process."""

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = home.store / "index.json"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("HOME", str(home.directory))
        monkeypatch.setenv("MILLE_ROOT", str(home.store))

    def writes(self, *words: str) -> int:
        """How often a command that succeeds gives index.json its name."""
        acts: list[str] = []
        with self._monkeypatch.context() as patch:
            patch.setattr(files, "hook", lambda act, subject: acts.append(f"{act} {subject}"))
            assert main(words) == 0
        return acts.count(f"rename {self._path}")

    def names(self) -> set[str]:
        """The names that stand in index.json."""
        entries = json.loads(self._path.read_bytes())["manifests"]
        return {entry["annotations"][REF_NAME] for entry in entries if REF_NAME in entry["annotations"]}
