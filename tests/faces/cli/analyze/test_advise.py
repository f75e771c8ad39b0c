"""`mille analyze --advise` on an image that somebody else built."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

STEPS = (
    "/bin/sh -c #(nop) ADD file:1 in / ",
    "COPY . /app # buildkit",
    "RUN /bin/sh -c make && rm -rf /tmp/a # buildkit",
    "RUN /bin/sh -c rm /made # buildkit",
)


@pytest.fixture
def loaded(home: Home, tmp_path: Path) -> str:
    layers = [
        rawtars.archive(rawtars.file(b"bin", b"b" * 900)),
        rawtars.archive(rawtars.file(b"app/.git/pack", b"p" * 5000), rawtars.file(b"app/main", b"m" * 10)),
        rawtars.archive(rawtars.file(b"made", b"x" * 3000), rawtars.file(b"root/.npm/y", b"y" * 2000)),
        rawtars.archive(rawtars.file(b".wh.made")),
    ]
    write_archive(tmp_path / "image.tar", layers, STEPS)
    assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    return "random:latest"


def test_waste_is_led_back_to_the_history(home: Home, loaded: str) -> None:
    out, err, code = home.mille("analyze", "--json", "--advise", loaded)
    assert (err, code) == ("", 0)
    found = json.loads(out)
    kinds = {one["kind"]: one["sizeBytes"] for one in found["advice"] if one["kind"] != "order"}
    assert kinds == {"cache-mount": 2000, "dockerignore": 5000, "merge-runs": 3000}
    assert found["predictedBytes"] == 10000
    assert found["dockerignore"] == ["**/.git"]
    assert found["dockerignoreFile"] == ".dockerignore"
    assert (
        "RUN --mount=type=cache,target=/root/.npm make && rm -rf /tmp/a && \\\n    rm /made"
        in found["dockerfile"]
    )
    text = home.mille("analyze", "--advise", loaded)[0]
    assert "Together: 10kB less in the layers" in text


def test_a_dockerfile_is_matched_by_its_words(home: Home, loaded: str, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM base\nCOPY . /app\n# build it\nRUN make && rm -rf /tmp/a\nRUN rm /made\n")
    found = json.loads(home.mille("analyze", "--json", "--advise", "-f", str(file), loaded)[0])
    (merge,) = [one for one in found["advice"] if one["kind"] == "merge-runs"]
    assert [step["line"] for step in merge["steps"]] == [4, 5]
    assert "# build it\n" in found["dockerfile"]


def test_no_advice_for_an_image_without_waste(home: Home, tmp_path: Path) -> None:
    write_archive(tmp_path / "image.tar", [rawtars.archive(rawtars.file(b"a", b"a"))])
    home.mille("load", "-i", str(tmp_path / "image.tar"))
    assert home.mille("analyze", "--advise", "random") == ("random: no advice\n", "", 0)


@pytest.mark.parametrize(("there", "expected"), [
    ((), ".dockerignore"),
    ((".dockerignore",), ".dockerignore"),
    (("docker/Dockerfile.dockerignore", ".dockerignore"), "docker/Dockerfile.dockerignore"),
])  # fmt: skip
def test_lines_are_for_the_ignore_file_that_counts(
    home: Home, loaded: str, tmp_path: Path, there: tuple[str, ...], expected: str
) -> None:
    context = tmp_path / "context"
    for name in ("docker/Dockerfile", ".git/pack", *there):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(f"FROM {loaded}\nCOPY . /app\n" if "ignore" not in name else "*.md\n")
    dockerfile = str(context / "docker" / "Dockerfile")
    assert home.mille("build", "-q", "-t", "made", "-f", dockerfile, str(context))[2] == 0
    words = ("analyze", "--advise", "-f", dockerfile, "made", str(context))
    for more in ((), ("--verify",)):
        found = json.loads(home.mille(*words, "--json", *more)[0])
        assert found["dockerignore"] == ["**/.git"]
        assert found["dockerignoreFile"] == expected
        text = home.mille(*words, *more)[0]
        assert f"Leave .git out of the context with {expected} (" in text
        assert f"+**/.git  ({expected})" in text


def test_an_ignore_file_outside_the_context_is_called_by_its_path(
    home: Home, loaded: str, tmp_path: Path
) -> None:
    (tmp_path / "context").mkdir()
    file = tmp_path / "Dockerfile"
    file.write_text("FROM base\nCOPY . /app\nRUN make && rm -rf /tmp/a\nRUN rm /made\n")
    (tmp_path / "Dockerfile.dockerignore").write_text("")
    words = ("analyze", "--json", "--advise", "-f", str(file), loaded)
    assert json.loads(home.mille(*words, str(tmp_path / "context"))[0])["dockerignoreFile"] == (
        f"{file}.dockerignore"
    )
    assert json.loads(home.mille(*words)[0])["dockerignoreFile"] == "Dockerfile.dockerignore"


_BROKEN = """
import runpy
from millefeuille.build.dockerfile.parser import parse
from millefeuille.engine import verifying
from millefeuille.values import replace
broken = parse(b"FROM scratch\\nCOPY none /\\n", name="Dockerfile")
verifying._rewritten_order = lambda order, rewritten: replace(order, dockerfile=broken)
runpy.run_module("millefeuille", run_name="__main__", alter_sys=True)
"""


def test_advice_is_shown_also_when_it_does_not_build(home: Home, loaded: str, tmp_path: Path) -> None:
    context = tmp_path / "context"
    (context / ".git").mkdir(parents=True)
    (context / ".git" / "pack").write_bytes(b"p" * 5000)
    (context / "Dockerfile").write_text(f"FROM {loaded}\nCOPY . /app\n")

    def mille(*words: str) -> tuple[str, str, int]:
        environment = {"HOME": str(home.directory), "MILLE_ROOT": str(home.store), "PATH": os.environ["PATH"]}
        command = [sys.executable, "-I", "-c", _BROKEN, "analyze", "--advise", "--verify"]
        command += [*words, loaded, str(context)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout, done.stderr, done.returncode

    out, err, code = mille("--json")
    assert code == 2
    assert err.startswith("Error: the rewritten Dockerfile does not build: ")
    assert err.endswith("The advice stands without proof.\n")
    found = json.loads(out)
    assert found["dockerignore"] == ["**/.git"]
    assert "verified" not in found
    text, same, code = mille()
    assert (same, code) == (err, 2)
    assert "Leave .git out of the context" in text
    assert "Achieved" not in text
    assert mille(f"--json={tmp_path / 'out'}") == ("", err, 2)
    assert json.loads((tmp_path / "out").read_text()) == found


@pytest.mark.parametrize(
    "words",
    [
        ("--verify",), ("--advise", "--verify"), ("-f", "x"), ("--advise", "--ci"),
        ("--advise", "--ci-config", "none"), ("--advise", "--max-size", "1"),
        ("--advise", "--max-waste", "0"), ("--advise", "--max-layer-size", "1"),
        ("--advise", "--max-path-size", "/=1"), ("--advise", "--min-efficiency", "1"),
        ("--advise", "--score", "dive"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_together(home: Home, loaded: str, words: tuple[str, ...]) -> None:
    out, err, code = home.mille("analyze", *words, loaded)
    assert (out, code) == ("", 2)
    assert err.startswith("Error: ")
