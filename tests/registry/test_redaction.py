"""What is shown of URLs and of other people's texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.registry.redaction import MAXIMUM_TEXT, clean, show_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host.example:5000/v2/?token=secret#secret", "https://host.example:5000/v2/"),
        ("https://s3.example/x?X-Amz-Signature=secret", "https://s3.example/x"),
        ("http://[::1/", "(unreadable URL)"),
        ("/v2/a/blobs/uploads/1?_state=secret", "/v2/a/blobs/uploads/1"),
    ],
)
def test_show_url(url, shown):
    assert show_url(url) == shown


@given(st.text())
def test_clean_text_is_one_short_line(text):
    found = clean(text)
    assert len(found) <= MAXIMUM_TEXT
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in found)


def test_escape_sequences_leave_nothing():
    assert clean("\x1b[31;1mred\x1b[0m\r\n\u202etext\x07") == "red  text"
