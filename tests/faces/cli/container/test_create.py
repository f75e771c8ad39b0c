"""`mille create`: what a container has before it is started."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(os.geteuid() != 0, reason="running containers needs root"),
]

NONE = ("--network", "none")


def done(box: Home, *words: str) -> str:
    """What a command prints that does its work."""
    out, err, code = box.mille(*words)
    assert code == 0, err
    return out


@pytest.fixture(params=["erofs", "overlay"])
def drawn(request: pytest.FixtureRequest, box: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The image `seeded`, of two layers, with a directory of somebody else, shown by either driver."""
    seed = box.directory / "data"
    (seed / "sub").mkdir(parents=True)
    (seed / "file").write_text("from the image\n")
    os.link(seed / "file", seed / "again")
    (seed / "link").symlink_to("file")
    seed.chmod(0o2751)
    os.chown(seed, 5, 6)
    driver, mille = {"MILLE_SNAPSHOTTER": request.param}, box.mille
    monkeypatch.setattr(box, "mille", lambda *words: mille(*words, environment=driver))
    done(box, "create", "--name", "seed", "busybox")
    done(box, "cp", "-a", str(seed), "seed:/data")
    done(box, "commit", "seed", "seeded")
    done(box, "rm", "seed")
    return box


def content(box: Home, name: str) -> Path:
    """Where a volume has its files."""
    return box.store / "volumes" / name / "_data"


def test_a_new_volume_has_what_the_image_has(drawn: Home) -> None:
    done(drawn, "create", *NONE, "--name", "one", "-v", "vol:/data", "seeded", "ls", "/data")
    volume = content(drawn, "vol")
    assert sorted(os.listdir(volume)) == ["again", "file", "link", "sub"]
    assert (volume / "file").samefile(volume / "again")
    assert os.readlink(volume / "link") == "file"
    found = volume.stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o2751, 5, 6)
    done(drawn, "cp", "/etc/hostname", "one:/data/mine")
    assert done(drawn, "start", "-a", "one").split() == ["again", "file", "link", "mine", "sub"]


def test_whose_volume_it_is_fills_it(drawn: Home) -> None:
    done(drawn, "create", "--name", "full", "-v", "full:/data", "seeded")
    done(drawn, "create", "--name", "bare", "-v", "bare:/data", "busybox")
    for image in ("busybox", "seeded"):
        for name, names in (("full", ["again", "file", "link", "sub"]), ("bare", [])):
            listed = done(drawn, "run", "--rm", *NONE, "--volumes-from", name, image, "ls", "/data")
            assert listed.split() == names


def test_a_volume_that_was_emptied_stays_empty(drawn: Home) -> None:
    done(drawn, "create", *NONE, "--name", "one", "-v", "vol:/data", "seeded", "ls", "/data")
    done(drawn, "run", *NONE, "--name", "two", "-v", "ran:/data", "seeded", "ls", "/data")
    assert os.listdir(content(drawn, "ran"))
    for name in ("vol", "ran"):
        for path in content(drawn, name).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert done(drawn, "start", "-a", "one") == ""
    assert done(drawn, "start", "-a", "two") == ""


@pytest.mark.parametrize("first", ["cp", "start"])
def test_who_was_killed_before_the_volume_was_filled(box: Home, first: str) -> None:
    id = done(box, "create", *NONE, "--name", "one", "-v", "vol:/etc", "busybox", "ls", "/etc").strip()
    volume, told = content(box, "vol"), box.store / "containers" / id / "filled"
    names = sorted(os.listdir(volume))
    shutil.rmtree(volume)
    volume.mkdir()
    told.unlink()
    if first == "cp":
        done(box, "cp", "/etc/hostname", "one:/etc/mine")
        names = sorted([*names, "mine"])
    assert [name for name in done(box, "start", "-a", "one").split() if name in names] == names
    assert told.exists()


def upper(box: Home, id: str) -> Path:
    """Where a container has what it wrote."""
    return box.store / "snapshots" / id / "upper"


def test_a_working_directory_that_is_missing_is_made(drawn: Home) -> None:
    done(drawn, "create", *NONE, "--name", "one", "-w", "/opt/w/", "seeded", "pwd")
    assert done(drawn, "diff", "one") == "A /opt\nA /opt/w\n"
    done(drawn, "cp", "/etc/hostname", "one:/opt/w/mine")
    done(drawn, "export", "-o", f"{drawn.directory}/one.tar", "one")
    with tarfile.open(drawn.directory / "one.tar") as archive:
        made = archive.getmember("opt/w")
        assert (made.mode, made.uid, made.gid, made.isdir()) == (0o755, 0, 0, True)
    assert done(drawn, "start", "-a", "one") == "/opt/w\n"
    # The image's own, which a commit leaves out of its files.
    done(drawn, "commit", "-c", "WORKDIR /data/a/b", "one", "workdir")
    done(drawn, "create", "--name", "two", "workdir")
    assert done(drawn, "diff", "two") == "C /data\nA /data/a\nA /data/a/b\n"
    done(drawn, "commit", "two", "whole")
    assert done(drawn, "run", "--rm", *NONE, "-w", "/", "whole", "ls", "/data/a", "/opt/w") == (
        "/data/a:\nb\n\n/opt/w:\nmine\n"
    )


def test_nothing_is_mounted_for_a_working_directory_that_is_there(drawn: Home) -> None:
    for words in ((), ("-w", "/"), ("-w", "/data/sub"), ("-w", "/data/sub", "-v", "vol:/data")):
        id = done(drawn, "create", *words, "seeded").strip()
        assert os.listdir(upper(drawn, id)) == []


def test_a_working_directory_is_made_within_the_root_whatever_links_say(drawn: Home, tmp_path: Path) -> None:
    links = drawn.directory / "links"
    links.mkdir()
    (tmp_path / "out").mkdir()
    (links / "in").symlink_to("/data")
    (links / "out").symlink_to(f"../../../../../..{tmp_path}/out")
    done(drawn, "create", "--name", "linked", "seeded")
    done(drawn, "cp", f"{links}/.", "linked:/")
    done(drawn, "commit", "linked", "linked")
    assert os.listdir(upper(drawn, done(drawn, "create", "-w", "/in/sub", "linked").strip())) == []
    id = done(drawn, "create", "-w", "/in/new", "linked").strip()
    assert done(drawn, "diff", id) == "C /data\nA /data/new\n"
    id = done(drawn, "create", "-w", "/out/new", "linked").strip()
    assert done(drawn, "diff", id).endswith(f"A {tmp_path}/out/new\n")
    assert os.listdir(tmp_path / "out") == []


def test_a_new_volume_has_the_working_directory_in_it(drawn: Home) -> None:
    done(drawn, "create", "-v", "vol:/data", "-w", "/data/new/deep", "seeded")
    assert sorted(os.listdir(content(drawn, "vol"))) == ["again", "file", "link", "new", "sub"]
    assert os.listdir(content(drawn, "vol") / "new") == ["deep"]


def test_a_run_that_fails_has_the_working_directory(box: Home) -> None:
    assert box.mille("run", *NONE, "--name", "one", "-w", "/opt/w", "busybox", "nosuch")[2] == 127
    assert done(box, "diff", "one") == "A /opt\nA /opt/w\n"


def test_a_file_is_no_working_directory(box: Home) -> None:
    refused = box.mille("create", "--name", "one", "-w", "/bin/busybox", "busybox")
    assert refused == ("", "Error: Cannot mkdir: /bin/busybox is not a directory\n", 1)
    assert box.mille("create", "--name", "one", "-w", "/bin/busybox/x", "busybox")[2] == 1
    assert done(box, "ps", "-aq") == ""


def test_a_volume_over_a_file_is_refused_and_nothing_stays(box: Home) -> None:
    for target, words in (
        ("vol:/bin/busybox", "source {}/bin/busybox is not directory"),
        ("/bin/busybox", "cannot mount volume over existing file, file exists {}/bin/busybox"),
    ):
        out, err, code = box.mille("create", "--name", "one", "-v", target, "busybox")
        before, after = words.split("{}")
        assert (out, code) == ("", 1)
        assert err.startswith(f"Error: {before}") and err.endswith(f"{after}\n")
    assert done(box, "ps", "-aq") == ""
    assert done(box, "volume", "ls", "-q") == "vol\n"
    assert "container" not in done(box, "events", "--since", "1h", "--until", "0s")
