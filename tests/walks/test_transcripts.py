"""Docker 28's own transcripts, played again with `mille`: output, errors and exit codes are equal.

Where they differ on purpose, `golden/differences.txt` holds what we print (masked), and
`docs/docker-differences.md` the reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.walks.transcript import Act, Objects, in_our_words, masked, read, same
from tests.walks.transcript_player import GOLDEN, Player

from millefeuille.testing.images import MadeImage
from millefeuille.testing.servers import RegistryServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "docker-differences.md"
DIFFERENT = {act.key: act for act in read(GOLDEN / "differences.txt")}


def judged(player: Player, recording: str) -> tuple[int, list[str], list[str]]:
    """How many acts there were, the complaints about them, and the keys of those that differ as listed.

    A difference of one recording only is listed with its name before the key.
    """
    count, complaints, listed = 0, [], []
    objects = Objects()
    for recorded, played in player.again(recording):
        count += 1
        different = DIFFERENT.get(recorded.key) or DIFFERENT.get(f"{recording}: {recorded.key}")
        if different is not None:
            listed.append(recorded.key)
            if same(recorded, played):
                complaints.append(f"{recorded.key}: equal by now, but listed as different")
        if not same(different or recorded, played):
            complaints.append(f"{recorded.key}: {played} instead of {different or recorded}")
        elif different is None and (wrong := objects.mistaken(recorded, played)):
            complaints.append(f"{recorded.key}: another object in place of {wrong}")
    return count, complaints, listed


@pytest.mark.walk
def test_images_in_a_registry(busybox: MadeImage, registry_server: RegistryServer, tmp_path: Path) -> None:
    count, complaints, listed = judged(Player(tmp_path / "g1", busybox, registry_server.address), "g1")
    assert not complaints, "\n".join(complaints)
    assert (count, len(listed)) == (61, 2)


@pytest.mark.walk
def test_images_in_use(
    busybox: MadeImage, registry_server: RegistryServer, tmp_path: Path, containers: None
) -> None:
    count, complaints, listed = judged(Player(tmp_path / "g2", busybox, registry_server.address), "g2")
    assert not complaints, "\n".join(complaints)
    assert (count, len(listed)) == (52, 1)


@pytest.mark.walk
def test_images_in_archives(busybox: MadeImage, tmp_path: Path, containers: None) -> None:
    count, complaints, listed = judged(Player(tmp_path / "g3", busybox, "127.0.0.1:1"), "g3")
    assert not complaints, "\n".join(complaints)
    assert (count, len(listed)) == (49, 4)


@pytest.mark.walk
def test_containers(busybox: MadeImage, tmp_path: Path, containers: None) -> None:
    count, complaints, listed = judged(Player(tmp_path / "g4", busybox, "127.0.0.1:1"), "g4")
    assert not complaints, "\n".join(complaints)
    assert (count, len(listed)) == (27, 1)


@pytest.mark.parametrize("key", DIFFERENT)
def test_every_difference_is_explained(key: str) -> None:
    in_a_table = re.sub(r"^g\d: ", "", key).partition(" #")[0].replace("|", r"\|")
    assert f"`{in_a_table}`" in DOCUMENT.read_text()


class TestTheComparison:
    """What keeps the walks above from passing for nothing."""

    def act(self, **changes: object) -> Act:
        given = {"command": "docker x", "key": "docker x", "stdout": "", "stderr": "", "code": 0} | changes
        return Act(**given)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "changes", [{"code": 1}, {"stdout": "Deleted\n"}, {"stderr": "Error: no\n"}, {"stdout": "\n"}]
    )
    def test_sees_every_stream_and_the_code(self, changes: dict[str, object]) -> None:
        assert not same(self.act(stdout="Untagged\n"), self.act(**changes))

    def test_an_id_must_stay_the_same_object(self) -> None:
        one, other, third = "0123456789ab", "fedcba987654", "aaaaaaaaaaaa"
        objects = Objects()
        assert objects.mistaken(self.act(stdout=one), self.act(stdout=other)) == []
        assert objects.mistaken(self.act(stdout=one), self.act(stdout=other)) == []
        assert objects.mistaken(self.act(stdout=one), self.act(stdout=third)) == [one]

    def test_masks_nothing_else(self) -> None:
        text = "Error: No such image: deadbeef:latest and sha256:" + "0" * 64
        assert masked(text) == text

    def test_our_words(self) -> None:
        recorded = self.act(stderr="Error response from daemon: x\nSRun 'docker image ls --help' for more\n")
        assert in_our_words(recorded).stderr == "Error: x\nRun 'mille image ls --help' for more\n"
