"""What of all that overlayfs keeps of a step is a change: as BuildKit has it, not as the upper directory."""

from __future__ import annotations

import pytest
from tests.build.running.steps import Steps

from millefeuille.layers.entry import FILE, HARDLINK

pytestmark = pytest.mark.walk


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "chmod $(busybox stat -c %a /etc/passwd) /etc/passwd",  # as it was, but copied up
        "busybox chown 0:0 /etc /etc/passwd",
        "exec 3>>/etc/passwd",  # opened for writing, not written
        "touch /etc/x; busybox rm /etc/x",  # the time of a directory alone
        "busybox mv /etc/plain /etc/p; busybox mv /etc/p /etc/plain",
        "echo x > /tmp/x; busybox rm /tmp/x; busybox mkdir -p /tmp/a/b; busybox rm -r /tmp/a",
        "busybox ln /etc/passwd /etc/p; busybox rm /etc/p",
    ],
)
def test_no_change(steps: Steps, script: str) -> None:
    assert steps.sh(script) == {}


@pytest.mark.parametrize(
    ("script", "paths"),
    [
        ("chmod 600 /etc/passwd", "etc etc/passwd"),
        ("chmod 700 /etc", "etc"),
        ("touch -d @1000 /etc/passwd", "etc etc/passwd"),
        ("echo x >> /etc/passwd", "etc etc/passwd"),
        ("busybox chown 33 /srv", "srv"),
        ("busybox rm /etc/plain", "etc etc/.wh.plain"),
        ("busybox rm -r /srv", ".wh.srv"),
        ("busybox mv /etc/plain /etc/p", "etc etc/.wh.plain etc/p"),
        ("busybox ln /etc/passwd /etc/p", "etc etc/p etc/passwd"),
        ("busybox ln -sf x /bin/true", "bin bin/true"),
        ("busybox mkfifo /srv/f; busybox mknod /srv/d c 1 3", "srv srv/d srv/f"),
        ("busybox mkdir -p /a/b /a/c", "a a/b a/c"),
        ("busybox mkdir /dev/x /proc/x; busybox mkdir -p /run/x", "run run/x"),
        # The same second and size as in the layer, another byte.
        ("t=$(stat -c %Y /etc/group); busybox sed -i s/root/ROOT/ /etc/group; touch -d @$t /etc/group",
         "etc etc/group"),
    ],
)  # fmt: skip
def test_change(steps: Steps, script: str, paths: str) -> None:
    assert sorted(steps.sh(script)) == paths.split()


def test_directory_that_hides_what_was_there(steps: Steps) -> None:
    changes = steps.sh("cd /; busybox cp /bin/busybox busybox; ./busybox rm -r bin; ./busybox mkdir bin")
    assert sorted(changes) == ["bin", "bin/.wh..wh..opq", "busybox"]


def test_what_is_the_same_in_a_directory_that_hides_what_was_there(steps: Steps) -> None:
    script = "cd /; busybox cp -a bin/busybox /; ./busybox rm -r bin; ./busybox mkdir bin"
    changes = steps.sh(f"{script}; ./busybox cp -a busybox bin/")
    assert sorted(changes) == ["bin", "bin/.wh..wh..opq", "bin/busybox", "busybox"]


def test_hard_links_to_one_another(steps: Steps) -> None:
    changes = steps.sh("echo x > /srv/a; busybox ln /srv/a /srv/b")
    assert (changes["srv/a"].kind, changes["srv/b"].kind) == (FILE, HARDLINK)
    assert changes["srv/b"].link == b"srv/a"


def test_same_members_each_time(steps: Steps) -> None:
    script = "for n in 3 1 2; do echo $n > /srv/$n; touch -d @1000 /srv/$n; done; touch -d @1000 /srv"
    first = steps.sh(script)
    assert list(first) == ["srv", "srv/1", "srv/2", "srv/3"]
    assert steps.sh(script) == first
