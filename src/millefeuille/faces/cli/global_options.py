"""The options that stand before any command."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.faces.cli.options import boolean, string

ROOT: Final = string("root", "Directory of the store (overrides MILLE_ROOT)", complete="directory")
CONFIG: Final = string("config", "Location of Docker's client config files", complete="directory")
DEBUG: Final = boolean("debug", "Enable debug mode: errors show where they arose", short="D")
VERSION: Final = boolean("version", "Print version information and quit", short="v")
GLOBAL: Final = (ROOT, CONFIG, DEBUG, VERSION)
