"""Commands without the secrets in them."""

from __future__ import annotations

import json

from millefeuille.analysis.secrets.redaction import redact
from millefeuille.analysis.secrets.scan import scan, scan_config
from millefeuille.oci.config import parse

TOKEN = b"gh" + b"p_" + b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"


def test_what_looks_like_a_secret_is_not_shown() -> None:
    assert redact(f"RUN echo {TOKEN.decode()} > /g", ()) == "RUN echo ghp_… (40 characters) > /g"
    assert redact("RUN login --password=hunter22 é", ()) == "RUN login --password=hu… (8 characters) é"


def test_what_a_file_holds_is_not_shown() -> None:
    found = (
        *scan(b"root/.netrc", b"machine a login b password hunter22"),
        *scan(b"b/.netrc", b"machine a login b password hunter22-and-more"),
    )
    command = "RUN echo machine a login b password hunter22-and-more > /b/.netrc; echo hunter22"
    shown = redact(command, found)
    assert shown.split(" password ")[1] == "hunt… (17 characters) > /b/.netrc; echo hu… (8 characters)"


def test_another_command_stays() -> None:
    assert redact("RUN \udc80 make", scan(b"x", TOKEN)) == "RUN \udc80 make"


def test_of_a_value_with_blanks_nothing_is_shown() -> None:
    steps = [
        "RUN |1 DB_PASSWORD=correct horse battery staple /bin/sh -c make # buildkit",
        "ENV API_SECRET=two words9", 'ENTRYPOINT ["server","--api-token=cmdtok12345"]',
    ]  # fmt: skip
    fields = {
        "rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": ["API_SECRET=two words9"]},
        "history": [{"created_by": step, "empty_layer": True} for step in steps],
    }  # fmt: skip
    found = [match for _, match in scan_config(parse(json.dumps(fields).encode()))]
    assert [redact(step, found) for step in steps] == [
        "RUN |1 DB_PASSWORD=corr… (28 characters) /bin/sh -c make # buildkit",
        "ENV API_SECRET=two… (10 characters)", 'ENTRYPOINT ["server","--api-token=cmd… (11 characters)"]',
    ]  # fmt: skip
