"""Commands without the secrets in them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from millefeuille.analysis.secrets.redaction import Redaction
from millefeuille.analysis.secrets.scan import Match, scan, scan_config
from millefeuille.oci.config import parse

TOKEN = b"gh" + b"p_" + b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"


def test_what_looks_like_a_secret_is_not_shown() -> None:
    assert Redaction(()).of(f"RUN echo {TOKEN.decode()} > /g") == "RUN echo ghp_… (40 characters) > /g"
    assert Redaction(()).of("RUN login --password=hunter22 é") == "RUN login --password=hu… (8 characters) é"


def test_what_a_file_holds_is_not_shown() -> None:
    found = (
        *scan(b"root/.netrc", b"machine a login b password hunter22"),
        *scan(b"b/.netrc", b"machine a login b password hunter22-and-more"),
    )
    command = "RUN echo machine a login b password hunter22-and-more > /b/.netrc; echo hunter22"
    shown = Redaction(found).of(command)
    assert shown.split(" password ")[1] == "hunt… (17 characters) > /b/.netrc; echo hu… (8 characters)"


def test_another_command_stays() -> None:
    assert Redaction(scan(b"x", TOKEN)).of("RUN \udc80 make") == "RUN \udc80 make"


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
    assert [Redaction(found).of(step) for step in steps] == [
        "RUN |1 DB_PASSWORD=corr… (28 characters) /bin/sh -c make # buildkit",
        "ENV API_SECRET=two… (10 characters)", 'ENTRYPOINT ["server","--api-token=cmd… (11 characters)"]',
    ]  # fmt: skip


def match(secret: bytes) -> Match:
    return Match(
        rule="x", offset=0, length=len(secret), sha256="", redacted=f"<{len(secret)}>", secret=secret
    )  # fmt: skip


@given(st.lists(st.binary().map(lambda data: bytes(97 + one % 2 for one in data)), max_size=8), st.text("ab"))
def test_the_longest_first_at_each_place(secrets: Sequence[bytes], command: str) -> None:
    pattern = "|".join(sorted({one.decode() for one in secrets if one}, key=len, reverse=True))
    expected = re.sub(pattern, lambda each: f"<{len(each[0])}>", command) if pattern else command
    assert Redaction(map(match, secrets)).of(command) == expected


def test_very_many_secrets_take_no_time() -> None:
    secrets = [f"abc{number}def" for number in range(50_000)]
    command = " ".join(f"PASSWORD={secret}" for secret in secrets)
    begin = time.process_time()
    shown = Redaction(match(secret.encode()) for secret in secrets).of(command)
    assert time.process_time() - begin < 10  # it was minutes
    assert "def" not in shown
    assert shown.endswith(" PASSWORD=abc… (11 characters)")


def test_what_was_not_looked_at_is_not_shown() -> None:
    secrets = [b"a" * length + b"b" for length in range(3, 1000)]
    shown = Redaction(map(match, secrets)).of("a" * 100_000 + " " + "a" * 50 + "b")
    assert shown.endswith("a…")
