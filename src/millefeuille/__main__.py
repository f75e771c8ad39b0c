"""`python -m millefeuille` is `mille`."""

from __future__ import annotations

from millefeuille.faces.cli.main import start

if __name__ == "__main__":
    start()
