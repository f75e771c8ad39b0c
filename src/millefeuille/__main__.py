"""`python -m millefeuille` is `mille`."""

from __future__ import annotations

import sys

from millefeuille.faces.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
