"""`mille events` in the words of docker 28.2.2."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{", "template: :1: unclosed action"),
        ("{{frob .ID}}", 'template: :1: function "frob" not defined'),
        (
            "{{.Nope}}",
            "template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type *events.Message",
        ),
    ],
)
def test_a_format_is_held_against_an_event_before_there_is_one(
    home: Home, template: str, said: str
) -> None:
    answer = home.mille("events", "--until", "0s", "--format", template)
    assert answer == ("", f"Error parsing format: {said}\n", 64)
    assert not home.store.exists()
