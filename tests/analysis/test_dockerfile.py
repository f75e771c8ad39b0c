"""Steps of a history as instructions."""

from __future__ import annotations

import pytest

from millefeuille.analysis.dockerfile import instruction
from millefeuille.oci.config import History

SUM = "ed213a5d1bc2f1354f414b411ed293b6462e6e08337fa13135949a56354c5f00"


@pytest.mark.parametrize(
    ("created_by", "found"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        (f"/bin/sh -c #(nop) COPY dir:{SUM} in /app ", f"COPY dir:{SUM} /app"),
        (f"/bin/sh -c #(nop) COPY --chown=a:bdir:{SUM} in /app ", f"COPY --chown=a:b dir:{SUM} /app"),
        (f"/bin/sh -c #(nop) ADD --chown=5multi:{SUM} in / ", f"ADD --chown=5 multi:{SUM} /"),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("|2 A=1 B=x y /bin/sh -c make $A", "RUN make $A"),
        ("|1 A=1 /bin/bash -o pipefail -c make | tee log", "RUN make | tee log"),
        ("/bin/bash -exo pipefail -c set -u; make", "RUN set -u; make"),
        ("/bin/ash -eo pipefail -c make", "RUN make"),
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN make"),
        ("RUN |1 A=1 /bin/bash -c make # buildkit", "RUN make"),
        ("COPY app /app # buildkit", "COPY app /app"),
        ("ENV A=1", "ENV A=1"),
        ("bazel build ...", "# bazel build ..."),
        ("", "# a step without words"),
    ],
)  # fmt: skip
def test_a_step(created_by: str, found: str) -> None:
    assert instruction(History(created_by=created_by)) == found
