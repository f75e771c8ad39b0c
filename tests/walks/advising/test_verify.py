"""`mille analyze --advise --verify`: what was predicted for bad Dockerfiles, and what came of it."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.walks.advising.dockerfiles import MISORDERED, TREACHEROUS, WASTEFUL, Bad

from millefeuille.testing.images import MadeImage, write_docker_archive

pytestmark = pytest.mark.walk
Verify = Callable[..., dict[str, Any]]


@pytest.fixture
def verify(containers: None, busybox: MadeImage, tmp_path: Path) -> Verify:
    """Build, and have advice on it proven."""

    def mille(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-I", "-m", "millefeuille", "--root", str(tmp_path / "store"), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def run(bad: Bad, more: Callable[[Path], object] = lambda context: None) -> dict[str, Any]:
        context = tmp_path / "context"
        context.mkdir()
        more(context)
        for name, size in bad.files.items():
            content = random.Random(name).randbytes(size)
            archive, mark, inside = name.partition(":")
            path = context / archive
            path.parent.mkdir(parents=True, exist_ok=True)
            if mark:
                _add(path, inside, content)
            else:
                path.write_bytes(content)
                path.chmod(0o644)
        file = tmp_path / "Dockerfile"
        file.write_text(f"FROM busybox:1{bad.dockerfile}")
        write_docker_archive(busybox, tmp_path / "base.tar", "busybox:1")
        mille("load", "-i", str(tmp_path / "base.tar"))
        arguments = [word for text in bad.arguments for word in ("--build-arg", text)]
        mille("build", "-q", "-t", bad.name, "-f", str(file), *arguments, str(context))
        images = mille("images", "-aq", "--no-trunc")
        found: dict[str, Any] = json.loads(
            mille(
                "analyze",
                "--json",
                "--advise",
                "--verify",
                *arguments,
                "-f",
                str(file),
                bad.name,
                str(context),
                code=bad.code,
            )
        )
        assert mille("images", "-aq", "--no-trunc") == images  # nothing stays behind
        assert file.read_text() == f"FROM busybox:1{bad.dockerfile}"
        return found

    return run


def _add(archive: Path, name: str, content: bytes) -> None:
    """Add a file to a compressed archive, which is there already or not."""
    plain = archive.parent.with_suffix(".tar")
    with tarfile.open(plain, "a") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    archive.write_bytes(gzip.compress(plain.read_bytes(), 1))


@pytest.mark.parametrize("bad", WASTEFUL, ids=lambda bad: bad.name)
def test_what_was_predicted_is_saved(verify: Verify, bad: Bad) -> None:
    found = verify(bad)
    verified = found["verified"]
    assert bad.kind in [one["kind"] for one in found["advice"]]
    assert all(one["steps"][0]["line"] for one in found["advice"])
    assert verified["predictedBytes"] >= bad.least
    assert verified["achievedBytes"] >= 0.9 * verified["predictedBytes"]
    assert verified["achievedBytes"] <= 1.1 * verified["predictedBytes"]
    assert verified["differing"] == []


@pytest.mark.parametrize("bad", TREACHEROUS, ids=lambda bad: bad.name)
def test_no_file_differs(verify: Verify, bad: Bad) -> None:
    found = verify(bad)
    verified = found["verified"]
    assert [one["kind"] for one in found["advice"]][:1] == ([bad.kind] if bad.kind else [])
    assert verified["differing"] == []
    assert verified["predictedBytes"] >= bad.least
    assert abs(verified["achievedBytes"] - verified["predictedBytes"]) <= 100


@pytest.mark.parametrize("bad", MISORDERED, ids=lambda bad: bad.name)
def test_a_better_order_leaves_more_in_the_cache(verify: Verify, bad: Bad) -> None:
    found = verify(bad)
    (hits,) = found["verified"]["hits"]
    assert (hits["cachedBefore"], hits["cachedAfter"]) == bad.hits
    assert found["verified"]["differing"] == []


def test_other_files_are_an_exit_code(verify: Verify) -> None:
    # Whose very name comes of chance is another file in every build.
    found = verify(Bad("by-chance", """
RUN head -c 20 /dev/urandom > /chance && touch /t$(head -c 8 /dev/urandom | md5sum | head -c 9) && \\
    yes | head -c 20000 > /big
RUN rm /big
""", "merge-runs", 20000, code=1))  # fmt: skip
    assert sorted(one["how"] for one in found["verified"]["differing"]) == ["added", "removed"]
    assert found["verified"]["varying"] == ["chance"]


def test_what_every_build_makes_anew_counts_for_nothing(verify: Verify) -> None:
    found = verify(Bad("log", """
RUN head -c 20 /dev/urandom > /log && echo same > /kept && yes | head -c 20000 > /big
RUN rm /big
""", "merge-runs", 20000))  # fmt: skip
    assert found["verified"]["differing"] == []
    assert found["verified"]["varying"] == ["log"]


_PIP = """
RUN printf '#!/bin/sh\\ncat $3 > /site\\n' > /bin/pip && chmod +x /bin/pip
WORKDIR /app
COPY app /app
RUN pip install -r requirements.txt
"""


def test_no_file_outside_the_context_is_changed(verify: Verify, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    victim = outside / "main.py"
    victim.write_text("victim")
    # COPY follows the link within the context, where the same path leads to other files.
    inside = f"{outside}/"[1:]
    files = {f"{inside}{name}": 100 for name in ("main.py", "other.py", "requirements.txt")}
    found = verify(
        Bad("link", _PIP, "order", 0, files), lambda context: (context / "app").symlink_to(outside)
    )
    assert victim.read_text() == "victim"
    (hits,) = found["verified"]["hits"]
    assert hits["change"] == "file app/main.py changes"
    assert (hits["cachedBefore"], hits["cachedAfter"]) == (2, 4)


def test_special_files_in_the_context_are_no_obstacle(verify: Verify) -> None:
    def more(context: Path) -> None:
        os.mkfifo(context / "pipe")
        os.mknod(context / "socket", stat.S_IFSOCK | 0o600)

    files = {"app/requirements.txt": 100, "app/main.py": 1000}
    (hits,) = verify(Bad("special-files", _PIP, "order", 0, files), more)["verified"]["hits"]
    assert (hits["cachedBefore"], hits["cachedAfter"]) == (2, 4)


def test_what_a_run_makes_beside_ignored_files_counts(verify: Verify) -> None:
    found = verify(Bad("made-only-without-them", """
RUN echo 'mkdir node_modules; test -e node_modules/a || echo x > node_modules/b; echo y > node_modules/c' \\
    > /bin/npm && chmod +x /bin/npm
WORKDIR /app
COPY . .
RUN npm ci
""", "dockerignore", 50000, {"node_modules/a": 50000, "main.js": 10}, code=1))  # fmt: skip
    assert found["verified"]["differing"] == [{"path": "app/node_modules/b", "how": "added"}]
