"""What pasta is told, and how it is started and ended: with programs that stand in for it."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

import pytest
from tests.killing import was_killed

from millefeuille.errors import Unsupported
from millefeuille.networks import pasta
from millefeuille.networks.lease import Carrier, Endpoint, Lease, Leases, Port
from millefeuille.networks.pasta import PastaFailed
from millefeuille.networks.ports import PortTaken

END = Endpoint(
    id="e", network="bridge", network_id="n", cable="", interface="eth0", ip="172.17.0.2", prefix=16,
    gateway="172.17.0.1", mac="02:00:00:00:00:01", names=(), wish={},
)  # fmt: skip
READY = "echo $$; exec sleep 60"


def port(number: int, protocol: str = "tcp", host_ip: str = "0.0.0.0") -> Port:
    return Port(port=number, protocol=protocol, host_ip=host_ip, host_port=8000 + number)


def program(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def is_gone(carrier: Carrier) -> bool:
    """Whether the process has ended, or does within a moment."""
    try:
        descriptor = os.pidfd_open(carrier.pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 2)[0])
    finally:
        os.close(descriptor)


def lives(carrier: Carrier) -> bool:
    return Path(f"/proc/{carrier.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def following(words: list[str], option: str) -> list[str]:
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_only_what_is_published_is_forwarded() -> None:
    published = [port(80), port(80, host_ip="127.0.0.1"), port(53, "udp")]
    words = pasta.command("/bin/pasta", "/run/x", END, published)
    assert words[0] == "/bin/pasta" and words[-2:] == ["--netns", "/run/x"]
    assert following(words, "--tcp-ports") == ["0.0.0.0/8080:80", "127.0.0.1/8080:80"]
    assert following(words, "--udp-ports") == ["0.0.0.0/8053:53"]
    assert following(words, "--address") == ["172.17.0.2"]
    assert following(words, "--netmask") == ["16"]
    assert following(words, "--gateway") == ["172.17.0.1"]
    assert following(words, "--ns-ifname") == ["eth0"]
    assert following(words, "--ns-mac-addr") == [END.mac]


def test_nothing_of_the_host_is_forwarded_by_itself() -> None:
    words = pasta.command("/bin/pasta", "/run/x", END, [])
    for option in ("--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"):
        assert following(words, option) == ["none"]
    assert "--no-map-gw" in words


def test_other_protocols_are_refused() -> None:
    with pytest.raises(Unsupported, match="80/sctp"):
        pasta.command("/bin/pasta", "/run/x", END, [port(80, "sctp")])


def test_it_is_noted_before_it_is_anything(tmp_path: Path) -> None:
    mark = tmp_path / "begun"
    noted: list[Carrier] = []

    def note(carrier: Carrier) -> None:
        assert not mark.exists()
        noted.append(carrier)

    pasta.start(program(f"touch {mark}; {READY}"), note)
    assert mark.exists()
    assert lives(noted[0])
    pasta.end(noted[0])
    assert is_gone(noted[0])
    pasta.end(noted[0])


def test_whoever_has_its_number_later_is_left_alone() -> None:
    noted: list[Carrier] = []
    pasta.start(program(READY), noted.append)
    try:
        pasta.end(Carrier(pid=noted[0].pid, started=noted[0].started - 1))
        time.sleep(0.1)
        assert lives(noted[0])
    finally:
        pasta.end(noted[0])


def test_what_cannot_be_noted_never_begins(tmp_path: Path) -> None:
    noted: list[Carrier] = []

    def note(carrier: Carrier) -> None:
        noted.append(carrier)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pasta.start(program(f"touch {tmp_path}/begun; {READY}"), note)
    assert is_gone(noted[0])
    assert not (tmp_path / "begun").exists()


def test_a_death_at_any_act_leaves_nothing_that_is_not_noted(tmp_path: Path) -> None:
    leases = Leases(str(tmp_path))
    lease = Lease(container="c", name="n", mode="bridge", hosts="")

    def work() -> None:
        leases.write(lease)
        noted = []

        def note(carrier: Carrier) -> None:
            noted.append(carrier)
            (tmp_path / "tried").write_text(str(carrier.pid))
            leases.write(Lease(container="c", name="n", mode="bridge", hosts="", carrier=carrier))

        pasta.start(program(READY), note)

    act = 0
    while was_killed(work, act := act + 1):
        found = leases.read("c")
        if found is not None and found.carrier is not None:
            pasta.end(found.carrier)
        if (tmp_path / "tried").exists():
            assert is_gone(Carrier(pid=int((tmp_path / "tried").read_text()), started=0))
    found = leases.read("c")
    assert act > 4 and found is not None and found.carrier is not None
    assert lives(found.carrier)
    pasta.end(found.carrier)


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        ("Failed to bind port 80", PortTaken, "failed to bind host port: Failed to bind port 80"),
        ("Failed to send 5\nNo route", PastaFailed, "pasta cannot connect the container: No route"),
        ("", PastaFailed, "pasta cannot connect the container: it ended without a word"),
    ],
)
def test_its_last_words_are_told(words: str, kind: type[Exception], told: str) -> None:
    noted: list[Carrier] = []
    with pytest.raises(kind) as caught:
        pasta.start(program(f"printf '%s\\n' '{words}' >&2; exit 1"), noted.append)
    assert str(caught.value) == told
    assert is_gone(noted[0])


def test_one_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasta, "_PATIENCE", 0.1)
    noted: list[Carrier] = []
    with pytest.raises(PastaFailed):
        pasta.start(program("exec sleep 60"), noted.append)
    assert is_gone(noted[0])


def test_it_does_not_inherit_what_is_ignored_here() -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN  # as in every Python
    noted: list[Carrier] = []
    pasta.start(program(READY), noted.append)
    try:
        status = Path(f"/proc/{noted[0].pid}/status").read_text()
    finally:
        pasta.end(noted[0])
    [ignored] = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")]
    assert int(ignored, 16) & 1 << signal.SIGPIPE - 1 == 0


def test_a_lease_keeps_it(tmp_path: Path) -> None:
    leases = Leases(str(tmp_path))
    lease = Lease(
        container="c", name="n", mode="bridge", hosts="", endpoints=(END,), ports=(port(80),),
        carrier=Carrier(pid=7, started=9),
    )  # fmt: skip
    leases.write(lease)
    assert leases.read("c") == lease
