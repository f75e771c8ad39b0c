"""Images of real distributions, in stacks that waste much: Dive beside the real one, the ledger beside a file
system replayed by brute force.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from tests.analysis.conftest import Dive, write_archive
from tests.analysis.stacks import parsed
from tests.analysis.test_divejson import ours, without_marks
from tests.analysis.test_ledger import check

from millefeuille.testing import rawtars
from millefeuille.testing.images import MadeImage

pytestmark = [pytest.mark.walk, pytest.mark.long]

STACKS = (
    "busybox",
    "nginx",
    "nginx upside down",
    "busybox over debian",
    "debian over nginx",
    "no documentation",
)


@pytest.fixture(params=STACKS if os.environ.get("MILLE_ALL") else STACKS[-2:])
def layers(request: pytest.FixtureRequest, busybox: MadeImage, nginx: MadeImage) -> list[bytes]:
    """The tars of one stack."""
    small = [gzip.decompress(layer.path.read_bytes()) for layer in busybox.layers]
    large = [gzip.decompress(layer.path.read_bytes()) for layer in nginx.layers]
    marks = rawtars.archive(
        rawtars.file(b"usr/share/.wh.doc"), rawtars.file(b"usr/share/.wh.man"),
        rawtars.file(b"var/lib/dpkg/.wh..wh..opq"), rawtars.file(b"etc/.wh.passwd"),
    )  # fmt: skip
    return {
        "busybox": small,
        "nginx": large,
        "nginx upside down": large[::-1],
        "busybox over debian": [large[0], *small],
        "debian over nginx": [*large[1:], large[0]],
        "no documentation": [*large, marks, *small],
    }[request.param]


def test_dive_says_the_same(layers: list[bytes], real_dive: Dive, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    write_archive(archive, layers)
    assert without_marks(ours(archive, tmp_path)) == without_marks(real_dive(archive))


def test_every_byte_is_accounted_for(layers: list[bytes]) -> None:
    check(0, [parsed(tar) for tar in layers])
