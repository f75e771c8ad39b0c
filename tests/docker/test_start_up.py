"""What the default output of the list commands loads."""

from __future__ import annotations

import subprocess
import sys


def test_default_output_does_without_the_template_engine() -> None:
    program = (
        "import sys\n"
        "from millefeuille.docker import age, columns, inspection, listing, table, units\n"
        "from millefeuille.docker.shapes import history, image, summary, usage\n"
        "listing.render(columns.IMAGES, [])\n"
        "inspection.render([], '', inspection.IMAGE)\n"
        "print([name for name in sys.modules if 'template' in name or 'formatted' in name])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
