"""Statuses in Go's words, whatever version of Python has which."""

from __future__ import annotations

import pytest

from millefeuille.registry.phrase import phrase


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "200 OK"), (401, "401 Unauthorized"), (404, "404 Not Found"),
        (413, "413 Request Entity Too Large"), (414, "414 Request URI Too Long"),
        (416, "416 Requested Range Not Satisfiable"), (422, "422 Unprocessable Entity"),
        (429, "429 Too Many Requests"), (503, "503 Service Unavailable"), (299, "299"),
    ],
)  # fmt: skip
def test_phrase(status: int, words: str) -> None:
    assert phrase(status) == words
