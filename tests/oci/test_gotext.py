from __future__ import annotations

import pytest

from millefeuille.oci.gotext import encoded, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", '""'), ("plain ü", '"plain ü"'), ('a"b\\c', r'"a\"b\\c"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x1b\x7f", r'"\x00\x1b\x7f"'), ("\u200b", r'"\u200b"'), ("\U000e0001", r'"\U000e0001"'),
        ("\udcff", r'"\xff"'),
    ],
)  # fmt: skip
def test_as_go_quotes(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_documents_are_utf8() -> None:
    assert encoded("ä☃") == "ä☃".encode()
    assert encoded("a\udcff\ud800ä") == "a\ufffd\ufffdä".encode()
