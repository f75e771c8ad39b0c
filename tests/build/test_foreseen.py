"""What is wrong with a later line is told before anything is done; steps are called by what they do."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.places import Place

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.report import Planned
from millefeuille.build.running.entitlements import EntitlementMissing


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("LABEL v=${VERSION:?need}", 'failed to process "${VERSION:?need}": VERSION: need'),
        ("EXPOSE ${P:-99999}", "99999"),
        ("WORKDIR ${W?w}", 'failed to process "${W?w}": W: w'),
        ('COPY f "/tmp/q q', "unexpected end of statement"),
        ("COPY --chmod=999 f /", "invalid chmod parameter: '999'"),
        ("ADD --chmod=u+q f /", "invalid chmod parameter: 'u+q'"),
        ("ADD --checksum=sha256:" + "0" * 64 + " f /", "checksum requires HTTP(S) or Git sources"),
        ("RUN --mount=type=cache true", 'invalid mount target ""'),
        ("RUN --mount=type=tmpfs,target=../.. true", 'invalid mount target "../.."'),
        ("ARG A=${B?b}", 'failed to process "${B?b}": B: b'),
    ],
)
def test_a_later_line_fails_before_the_first_is_carried_out(tmp_path: Path, line: str, says: str) -> None:
    place = Place(tmp_path)
    place.write({"f": "x"})
    with pytest.raises(DockerfileError) as caught:
        place.build(f"FROM scratch\nCOPY f /\n{line}\n")
    assert says in str(caught.value)
    assert "Dockerfile:3" in str(caught.value)
    assert place.watching.events == []


@pytest.mark.parametrize(
    ("flag", "name"), [("--network=host", "network.host"), ("--security=insecure", "security.insecure")]
)
def test_what_was_not_granted_is_refused_before_the_first(tmp_path: Path, flag: str, name: str) -> None:
    place = Place(tmp_path)
    place.write({"f": "x"})
    with pytest.raises(EntitlementMissing, match=f"^{name} is not allowed$"):
        place.build(f"FROM scratch AS a\nCOPY f /\nFROM a\nRUN {flag} true\n")
    assert place.watching.events == []


def test_a_mistake_in_another_stage_too(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write({"f": "x"})
    text = "FROM scratch AS a\nENV B=1\nCOPY f /\nFROM a\nLABEL a=${B:?b} c=${C:?no}\nCOPY --from=a /f /g\n"
    with pytest.raises(DockerfileError, match="C: no"):
        place.build(text)
    assert place.watching.events == []


def test_a_mount_below_the_working_directory_needs_no_target(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with pytest.raises(DockerfileError, match="L: last"):
        place.build("FROM scratch\nWORKDIR /w\nRUN --mount=type=cache true\nLABEL a=${L:?last}\n")


def names(place: Place) -> list[str]:
    (planned,) = [event for event in place.watching.events if isinstance(event, Planned)]
    return [vertex.name for vertex in planned.vertices]


def test_steps_are_called_by_what_they_do(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write({"f": "x", "arg": "y"})
    place.build(
        "FROM scratch\nenv V=f W=/w\nARG A=arg\ncopy   $V    $W/\nworkdir ${W}/$NONE/x\n"
        "CoPy --chown=0:0 'f' \"$A\" /$A/\n"
    )
    assert names(place) == [
        "[1/4] FROM scratch", "[2/4] COPY   f    /w/", "[3/4] WORKDIR /w/$NONE/x",
        "[4/4] COPY --chown=0:0 'f' \"arg\" /arg/",
    ]  # fmt: skip
