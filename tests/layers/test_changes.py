"""What was written to an overlay: the layer made of it gives, over the lower tree, what the overlay shows."""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import socket
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.layers.overlays import Overlay, merged, seen, tar_of

from millefeuille.build.running.changed import layer_changes
from millefeuille.layers.changes import UnreadableChange, changes
from millefeuille.layers.members import UnwritableName, layer_members, tree_members

pytestmark = pytest.mark.walk


@pytest.fixture(autouse=True)
def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")


@pytest.fixture
def lower(tmp_path: Path) -> Iterator[Overlay]:
    """Not mounted yet, with something below."""
    overlay = Overlay(tmp_path)
    for directory in ("etc/deep", "var/log", "opt/app/lib"):
        (overlay.lower / directory).mkdir(parents=True)
    for name in ("etc/passwd", "etc/group", "etc/deep/x", "var/log/a", "opt/app/lib/one", "opt/app/two"):
        (overlay.lower / name).write_text(f"lower {name}")
    (overlay.lower / "etc/link").symlink_to("passwd")
    os.link(overlay.lower / "var/log/a", overlay.lower / "var/log/b")
    yield overlay


def told(overlay: Overlay, stubs: frozenset[bytes] = frozenset()) -> list[tuple[str, str]]:
    with overlay.written() as written:
        return [(change.letter, change.path.decode()) for change in changes(written, stubs)]


def layer(overlay: Overlay, *, epoch: int | None = None) -> bytes:
    with overlay.written() as written:
        return tar_of(layer_members(changes(written), epoch=epoch))


def whole(overlay: Overlay) -> bytes:
    root = os.open(overlay.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return tar_of(tree_members(root))
    finally:
        os.close(root)


def base(overlay: Overlay) -> bytes:
    root = os.open(overlay.lower, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return tar_of(tree_members(root))
    finally:
        os.close(root)


def test_nothing_written_is_nothing_changed(lower: Overlay) -> None:
    with lower:
        assert told(lower) == []
    assert layer(lower) == bytes(1024)


def test_the_letters(lower: Overlay) -> None:
    with lower:
        root = Path(lower.path)
        (root / "new").write_text("x")
        (root / "etc/passwd").write_text("changed")
        (root / "etc/group").unlink()
        (root / "var/log").chmod(0o700)
        (root / "srv/a/b").mkdir(parents=True)
        shutil.rmtree(root / "opt/app")
        assert told(lower) == [
            ("", "etc"), ("D", "etc/group"), ("C", "etc/passwd"), ("A", "new"), ("", "opt"), ("D", "opt/app"),
            ("A", "srv"), ("A", "srv/a"), ("A", "srv/a/b"), ("", "var"), ("C", "var/log"),
        ]  # fmt: skip
        assert merged(base(lower), layer(lower)) == seen(lower.path)


def test_a_directory_made_anew_hides_the_old_one(lower: Overlay) -> None:
    with lower:
        root = Path(lower.path)
        shutil.rmtree(root / "opt/app")
        (root / "opt/app/lib").mkdir(parents=True)
        (root / "opt/app/lib/new").write_text("new")
        with lower.written() as written:
            found = {change.path: change.hides for change in changes(written)}
        # Overlayfs marks every new directory; below a hidden one there is nothing to hide.
        assert found == {b"opt": False, b"opt/app": True, b"opt/app/lib": False, b"opt/app/lib/new": False}
        assert merged(base(lower), layer(lower)) == seen(lower.path)


def test_a_file_in_the_place_of_a_directory_and_the_reverse(lower: Overlay) -> None:
    with lower:
        root = Path(lower.path)
        shutil.rmtree(root / "opt/app")
        (root / "opt/app").write_text("a file now")
        (root / "etc/passwd").unlink()
        (root / "etc/passwd").mkdir()
        (root / "etc/passwd/inside").write_text("x")
        (root / "etc/link").unlink()
        (root / "etc/link").mkdir()
        assert merged(base(lower), layer(lower)) == seen(lower.path)


def test_links_devices_attributes_and_what_a_tar_cannot_hold(lower: Overlay) -> None:
    with lower:
        root = Path(lower.path)
        (root / "one").write_text("linked")
        os.link(root / "one", root / "two")
        os.mkfifo(root / "pipe")
        os.mknod(root / "null", 0o020666, os.makedev(1, 3))
        os.setxattr(root / "one", "user.note", b"kept\0\xff")
        os.setxattr(root / "etc", "user.dir", b"kept")
        os.setxattr(root / "one", "trusted.secret", b"dropped")
        os.chown(root / "pipe", 3_000_000_000, 7)
        os.utime(root / "null", (-5, -5))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"{lower.path}/socket")
        assert merged(base(lower), layer(lower)) == seen(lower.path)
        assert [path for letter, path in told(lower) if letter == "A"] == [
            "null", "one", "pipe", "socket", "two"
        ]  # fmt: skip


def test_a_socket_in_the_place_of_something_is_told_of_and_hides_it(lower: Overlay) -> None:
    with lower, contextlib.ExitStack() as sockets:
        root = Path(lower.path)
        (root / "etc/passwd").unlink()
        shutil.rmtree(root / "opt/app")
        (root / "srv").mkdir()
        for name in ("etc/passwd", "opt/app", "srv/new"):
            server = sockets.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(f"{lower.path}/{name}")
        assert told(lower) == [
            ("", "etc"), ("C", "etc/passwd"), ("", "opt"), ("C", "opt/app"), ("A", "srv"), ("A", "srv/new"),
        ]  # fmt: skip
        shown = merged(base(lower), layer(lower))
        assert shown == seen(lower.path)
        assert not {b"etc/passwd", b"opt/app", b"srv/new"} & shown.keys()
        with lower.written() as written:
            assert [path for path, _ in ((m.path, d) for m, d in layer_members(layer_changes(written)))] == [
                b"etc", b"etc/.wh.passwd", b"opt", b"opt/.wh.app", b"srv"
            ]  # fmt: skip


def test_lists_of_access_are_kept_of_pipes_and_devices_too(lower: Overlay) -> None:
    acl = bytes.fromhex(
        "0200000001000600ffffffff020006000500000004000400ffffffff10000600ffffffff20000400ffffffff"
    )
    os.mkfifo(lower.lower / "old")
    os.mkfifo(lower.lower / "same")
    with lower:
        os.setxattr(f"{lower.path}/old", "system.posix_acl_access", acl)
        os.chmod(f"{lower.path}/old", os.stat(lower.lower / "old").st_mode)
        os.chown(f"{lower.path}/same", 0, 0)
        with lower.written() as written:
            assert [change.path for change in layer_changes(written)] == [b"old"]
        os.mkfifo(Path(lower.path) / "pipe")
        os.mknod(Path(lower.path) / "null", 0o020666, os.makedev(1, 3))
        for name in ("pipe", "null"):
            os.setxattr(f"{lower.path}/{name}", "system.posix_acl_access", acl)
        shown = merged(layer(lower))
        assert [shown[name][-1] for name in (b"pipe", b"null")] == [{b"system.posix_acl_access": acl}] * 2


def test_attributes_of_a_directory_that_a_place_for_a_mount_was_made_in_are_kept(lower: Overlay) -> None:
    stubs = frozenset({b"etc/hosts", b"var/run", b"opt/new"})
    acl = bytes.fromhex(
        "0200000001000700ffffffff02000500e803000004000500ffffffff10000500ffffffff20000500ffffffff"
    )
    os.setxattr(lower.lower / "opt", "user.old", b"1")
    (lower.lower / "etc").chmod(0o755)  # as the ACL has it
    with lower:
        root = Path(lower.path)
        (root / "etc/hosts").write_text("")
        os.setxattr(root / "etc", "system.posix_acl_access", acl)
        (root / "var/run").write_text("")
        os.setxattr(root / "var", "user.note", b"1")
        (root / "opt/new").write_text("")
        assert told(lower, stubs) == [("", "etc"), ("", "var")]
        os.removexattr(root / "opt", "user.old")
        assert told(lower, stubs) == [("", "etc"), ("", "opt"), ("", "var")]


def test_capabilities_of_what_is_no_file_are_told_of_and_kept(lower: Overlay) -> None:
    capability = b"\x01\0\0\x02\0\x04" + b"\0" * 14
    os.mkfifo(lower.lower / "pipe")
    names = ("etc/link", "opt/app", "pipe")
    with lower:
        for name in names:
            os.setxattr(f"{lower.path}/{name}", "security.capability", capability, follow_symlinks=False)
        assert [path for letter, path in told(lower) if letter == "C"] == list(names)
        for tar in (layer(lower), whole(lower)):
            found = merged(tar)
            kept = [found[os.fsencode(name)][-1] for name in names]
            assert kept == [{b"security.capability": capability}] * 3
        with lower.written() as written:
            changed = [change.path.decode() for change in layer_changes(written)]
        assert changed == ["etc", "etc/link", "opt", "opt/app", "pipe"]


def test_each_name_of_a_file_carries_its_attributes(lower: Overlay) -> None:
    capability = b"\x01\0\0\x02\0\x04" + b"\0" * 14
    with lower:
        new = Path(lower.path) / "new"
        new.write_text("x")
        for name in ("again", "other"):
            os.link(new, new.with_name(name))
        os.setxattr(new, "security.capability", capability)
        for tar in (layer(lower), whole(lower)):
            with tarfile.open(fileobj=io.BytesIO(tar), errors="surrogateescape") as archive:
                found = [archive.getmember(name) for name in ("again", "new", "other")]
            assert [member.islnk() for member in found] == [False, True, True]
            assert [carried(member) for member in found] == [capability] * 3
            assert merged(tar)[b"new"][-1] == {b"security.capability": capability}


def carried(member: tarfile.TarInfo) -> bytes:
    value = member.pax_headers["SCHILY.xattr.security.capability"]
    return value.encode("utf-8", "surrogateescape")


def test_stubs_and_what_was_touched_for_them_are_left_out(lower: Overlay) -> None:
    stubs = frozenset({b"etc/hosts", b"proc", b"dev", b"dev/console", b"run/hosts", b".dockerenv"})
    with lower:
        root = Path(lower.path)
        for name in ("proc", "dev", "run"):
            (root / name).mkdir()
        for name in ("etc/hosts", "dev/console", "run/hosts", ".dockerenv"):
            (root / name).touch()
        assert told(lower, stubs) == []
        assert ("A", "etc/hosts") in told(lower)
        (root / "etc/hosts").write_text("no stub any more")
        (root / "dev/own").touch()
        assert told(lower, stubs) == [("A", "dev"), ("A", "dev/own"), ("", "etc"), ("A", "etc/hosts")]


def test_the_root_is_told_of_when_its_mode_differs(lower: Overlay) -> None:
    with lower:
        os.chmod(f"{lower.path}/.", 0o1777)
        assert told(lower) == [("C", "")]
        assert b"./\0" in layer(lower)[:200]


def test_marks_in_the_user_namespace(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path, marks="user")
    (overlay.lower / "d").mkdir()
    (overlay.lower / "d/x").touch()
    with overlay:
        shutil.rmtree(f"{overlay.path}/d")
        os.mkdir(f"{overlay.path}/d")
        assert merged(base(overlay), layer(overlay)).keys() == {b"d"}
        overlay.marks = "trusted"  # then the mark means nothing
        assert merged(base(overlay), layer(overlay)).keys() == {b"d", b"d/x"}


def test_a_reference_that_overlayfs_keeps_is_refused(lower: Overlay) -> None:
    with lower:
        (Path(lower.path) / "new").mkdir()
    os.setxattr(lower.upper / "new", "trusted.overlay.redirect", b"/etc")
    with pytest.raises(UnreadableChange, match="new"):
        layer(lower)


def test_a_name_that_would_pass_for_a_mark_is_refused(lower: Overlay) -> None:
    with lower:
        (Path(lower.path) / "etc/.wh.passwd").touch()
    with pytest.raises(UnwritableName, match=r"etc/\.wh\.passwd"):
        layer(lower)


def test_a_name_that_begins_like_a_compressed_stream(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    for name in (b"P*M\x18", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"[:2] + b"x"):
        with overlay:
            path = os.path.join(os.fsencode(overlay.path), name)
            with open(path, "wb") as file:
                file.write(b"x")
            assert merged(layer(overlay)) == seen(overlay.path)
            os.unlink(path)


def test_equal_changes_give_equal_bytes(tmp_path: Path) -> None:
    tars = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        overlay = Overlay(tmp_path / str(number))
        (overlay.lower / "d").mkdir()
        (overlay.lower / "d/gone").touch()
        with overlay:
            root = Path(overlay.path)
            names = [f"d/{n}" for n in range(20)]
            random.Random(number).shuffle(names)  # in whatever order they were written
            for name in names:
                (root / name).write_text(name)
            (root / "d/gone").unlink()
            for name in (*names, "d"):
                os.utime(root / name, ns=(0, 1_700_000_000_000_000_000 + number))
        tars.append(layer(overlay))
    assert tars[0] == tars[1]


def test_an_epoch_holds_times_back(lower: Overlay) -> None:
    with lower:
        (Path(lower.path) / "new").touch()
        (Path(lower.path) / "old").touch()
        os.utime(f"{lower.path}/old", (5, 5))
    words = merged(layer(lower, epoch=1000))
    assert (words[b"new"][3], words[b"old"][3]) == (1000, 5)


def test_only_what_was_written_is_looked_at(lower: Overlay, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        (lower.lower / f"var/log/many{number}").touch()
    with lower:
        (Path(lower.path) / "var/log/new").touch()
    asked = Counter[str]()
    real = os.stat

    def counting(path: object, **options: object) -> os.stat_result:
        asked["stat"] += 1
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", counting)
    layer(lower)
    assert 0 < asked["stat"] <= 6


def test_a_directory_deeper_than_descriptors_go(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    path = "/".join(["d"] * 900)
    with overlay:
        os.makedirs(f"{overlay.path}/{path}")
        try:
            assert len(told(overlay)) == 900
        finally:  # what clears up after tests cannot go so deep
            subprocess.run(["rm", "-rf", f"{overlay.upper}/d"], check=True)


# Random trees: what is done to the overlay, and what must hold after it.

NAMES = st.sampled_from(["a", "b", "c", "a-b", "ü", "x" * 101])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["write", "mkdir", "remove", "symlink", "link", "rename", "chmod", "empty", "xattr"]),
        PATHS, PATHS, st.integers(0, 3),
    ),
    max_size=25,
)  # fmt: skip


def perform(root: str, act: tuple[str, str, str, int]) -> None:
    verb, one, other, number = act
    path, second = f"{root}/{one}", f"{root}/{other}"
    try:
        if verb == "write":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(bytes([number]) * (number * 700))
        elif verb == "mkdir":
            os.makedirs(path, 0o700 + number)
        elif verb == "remove":
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        elif verb == "symlink":
            os.symlink(other, path)
        elif verb == "link":
            os.link(path, second, follow_symlinks=False)
        elif verb == "rename":
            os.rename(path, second)
        elif verb == "chmod":
            os.chmod(path, 0o600 + number)
        elif verb == "empty":
            shutil.rmtree(path)
            os.mkdir(path)
        elif verb == "xattr":
            os.setxattr(path, f"user.n{number}", b"v" * number)
    except OSError:
        pass


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ACTS, after=ACTS)
def test_random_trees(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, str, str, int]],
    after: list[tuple[str, str, str, int]],
) -> None:
    top = tmp_path_factory.mktemp("overlay")
    try:
        check_random(top, before, after)
    finally:
        shutil.rmtree(top)


def check_random(
    top: Path, before: list[tuple[str, str, str, int]], after: list[tuple[str, str, str, int]]
) -> None:  # fmt: skip
    overlay = Overlay(top)
    for act in before:
        perform(str(overlay.lower), act)
    with overlay:
        for act in after:
            perform(overlay.path, act)
        tar = layer(overlay)
        assert merged(base(overlay), tar) == seen(overlay.path)
        assert tar == layer(overlay)
