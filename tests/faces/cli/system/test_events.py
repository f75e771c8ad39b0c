"""`mille events` in the words of docker 28.2.2."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home

from millefeuille.docker.shapes.event import EngineEvent, event_json


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


@pytest.mark.parametrize(
    ("since", "until", "after", "before"),
    [
        ("10", "5", "10", "5"),
        ("5.1", "0", "5.1", "0"),
        ("2099-01-01", "2020-01-01T00:00:00.5", "4070908800.000000000", "1577836800.500000000"),
    ],
)
def test_no_time_is_after_the_last_one(
    home: Home, since: str, until: str, after: str, before: str
) -> None:  # fmt: skip
    said = f"Error: `since` time ({after}) cannot be after `until` time ({before})\n"
    assert home.mille("events", "--since", since, "--until", until) == ("", said, 1)
    assert not home.store.exists()


def test_one_time_may_be_first_and_last(home: Home) -> None:
    assert home.mille("events", "--since", "5", "--until", "5") == ("", "", 0)


def test_a_prune_of_the_build_cache_has_no_members_of_old() -> None:
    event = EngineEvent(type="builder", action="prune", id="", time=10**9, attributes={"reclaimed": "0"})
    assert event_json(event) == {
        "Type": "builder", "Action": "prune", "Actor": {"ID": "", "Attributes": {"reclaimed": "0"}},
        "scope": "local", "time": 1, "timeNano": 10**9,
    }  # fmt: skip
