"""Docker's plain lines, as dockerd 28.2.2 with the classic store printed them."""

from __future__ import annotations

import io
import threading

import pytest

from millefeuille.faces.cli import progress
from millefeuille.faces.cli.progress_plain import Plain
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.oci.digest import Digest
from millefeuille.progress import (
    Event,
    Finished,
    LayerAdvanced,
    LayerDone,
    LayerFound,
    LayerVerifying,
    LayerWaiting,
    Retrying,
    Silent,
    Started,
    Warned,
)

LAYER = Digest("sha256", "54460e4e0e1b" + "0" * 52)
OTHER = Digest("sha256", "72ae44ced448" + "0" * 52)
MANIFEST = Digest("sha256", "dea5d4b6d99ce6b378549a69e871b5b86a6e948276fbc6d4ef37d17968d28bab")


def lines(verb: str, *events: Event) -> list[str]:
    stdout = io.StringIO()
    plain = Plain(Terminal(io.StringIO(), stdout, io.StringIO()), verb)
    for event in events:
        plain.report(event)
    return stdout.getvalue().splitlines()


def test_pull() -> None:
    assert lines(
        "pull",
        Started(name="team/busybox", label="1.0"),
        LayerFound(digest=LAYER, total=10, exists=False),
        LayerAdvanced(digest=LAYER, current=5, total=10),
        LayerAdvanced(digest=LAYER, current=10, total=10),
        LayerVerifying(digest=LAYER),
        LayerDone(digest=LAYER, outcome="pulled"),
        Finished(
            digest=MANIFEST, size=527, status="Downloaded newer image for 127.0.0.1:5055/team/busybox:1.0"
        ),
    ) == [
        "1.0: Pulling from team/busybox",
        "54460e4e0e1b: Pulling fs layer",
        "54460e4e0e1b: Verifying Checksum",
        "54460e4e0e1b: Download complete",
        "54460e4e0e1b: Pull complete",
        f"Digest: {MANIFEST}",
        "Status: Downloaded newer image for 127.0.0.1:5055/team/busybox:1.0",
    ]


def test_pull_of_what_is_there() -> None:
    assert lines(
        "pull",
        Started(name="team/busybox", label="1.0"),
        LayerFound(digest=LAYER, total=10, exists=True),
        LayerDone(digest=LAYER, outcome="exists"),
        LayerFound(digest=OTHER, total=10, exists=False),
        LayerWaiting(digest=OTHER),
        LayerWaiting(digest=OTHER),
        Retrying(what="72ae44ced448", delay=0.4, reason="reset"),
        Retrying(what="72ae44ced448", delay=5.0, reason="reset"),
        Finished(digest=MANIFEST, size=527, status=""),
        Warned(message="another platform"),
    ) == [
        "1.0: Pulling from team/busybox",
        "54460e4e0e1b: Already exists",
        "72ae44ced448: Pulling fs layer",
        "72ae44ced448: Waiting",
        "72ae44ced448: Retrying in 1 second",
        "72ae44ced448: Retrying in 5 seconds",
        f"Digest: {MANIFEST}",
        "WARNING: another platform",
    ]


def test_push_of_two_tags() -> None:
    name = "127.0.0.1:5055/team/busybox"
    assert lines(
        "push",
        Started(name=name, label="1.0"),
        LayerFound(digest=OTHER, total=10, exists=False),
        LayerAdvanced(digest=OTHER, current=5, total=10),
        LayerDone(digest=OTHER, outcome="pushed"),
        Finished(digest=MANIFEST, size=527, status=""),
        Started(name=name, label="2.0"),
        LayerFound(digest=OTHER, total=10, exists=True),
        LayerDone(digest=OTHER, outcome="exists"),
        LayerFound(digest=LAYER, total=10, exists=False),
        LayerDone(digest=LAYER, outcome="mounted", source="team/other"),
        Finished(digest=MANIFEST, size=528, status=""),
    ) == [
        f"The push refers to repository [{name}]",
        "72ae44ced448: Preparing",
        "72ae44ced448: Pushed",
        f"1.0: digest: {MANIFEST} size: 527",
        "72ae44ced448: Preparing",
        "72ae44ced448: Layer already exists",
        "54460e4e0e1b: Preparing",
        "54460e4e0e1b: Mounted from team/other",
        f"2.0: digest: {MANIFEST} size: 528",
    ]


def test_reports_from_many_threads_keep_their_lines_whole() -> None:
    stdout = io.StringIO()
    plain = Plain(Terminal(io.StringIO(), stdout, io.StringIO()), "pull")
    digests = [Digest("sha256", f"{number:064x}"[::-1]) for number in range(8)]

    def work(digest: Digest) -> None:
        for _ in range(50):
            plain.report(LayerFound(digest=digest, total=1, exists=False))
            plain.report(LayerVerifying(digest=digest))

    threads = [threading.Thread(target=work, args=(digest,)) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = ("Pulling fs layer", "Verifying Checksum")
    expected = sorted(f"{digest.hex[:12]}: {state}" for digest in digests for state in states)
    assert sorted(stdout.getvalue().splitlines()) == expected


class _Gone(io.StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise BrokenPipeError


def test_work_goes_on_when_the_reader_has_gone() -> None:
    stdout = _Gone()
    plain = Plain(Terminal(io.StringIO(), stdout, io.StringIO()), "pull")
    plain.report(Started(name="a", label="b"))
    plain.report(Started(name="a", label="c"))
    assert stdout.writes == 1


@pytest.mark.parametrize(
    ("verb", "quiet", "kind"), [("pull", False, Plain), ("pull", True, Silent), ("load", False, Silent)]
)
def test_off_a_terminal_nothing_is_drawn(verb: progress.Verb, quiet: bool, kind: type) -> None:
    terminal = Terminal(io.StringIO(), io.StringIO(), io.StringIO())
    with progress.shown(terminal, verb, quiet=quiet) as reporter:
        assert isinstance(reporter, kind)
