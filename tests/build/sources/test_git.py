"""Repositories made directories, by the real git."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.build.sources.trees import make, selected

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.git import (
    Git,
    GitFailed,
    NeedsAgent,
    NoGit,
    NoSubdirectory,
    NoSuchRef,
    OtherCommit,
)
from millefeuille.build.sources.giturl import GitUrl, parse

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

ENVIRONMENT = {"PATH": os.environ["PATH"]}
IDENTITY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a",
    "GIT_AUTHOR_DATE": "1000000000 +0000", "GIT_COMMITTER_DATE": "1000000000 +0000",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file",
}  # fmt: skip


def git(at: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=at,
        env={**ENVIRONMENT, **IDENTITY},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make(tmp_path / "repository", "a/x", "run.sh", "l -> a/x", "out -> /etc")
    (root / "run.sh").chmod(0o777)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "tag", "-a", "v1", "-m", "tag")
    git(root, "branch", "other")
    make(root, "second")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two")
    return root


@pytest.fixture
def scratch(tmp_path: Path) -> Callable[[], str]:
    numbers = iter(range(100))

    def made() -> str:
        path = tmp_path / f"scratch-{next(numbers)}"
        path.mkdir()
        return str(path)

    return made


LOCAL = Git(environment=ENVIRONMENT, protocols=("file",))


def url(repository: Path, **more: object) -> GitUrl:
    return GitUrl(remote=f"file://{repository}", **more)  # type: ignore[arg-type]


def test_refs(repository: Path, scratch: Callable[[], str]) -> None:
    head, first = git(repository, "rev-parse", "HEAD"), git(repository, "rev-parse", "other")
    tag = git(repository, "rev-parse", "v1")
    for ref, commit in (("", head), ("main", head), ("other", first), ("v1", first), ("refs/tags/v1", first)):
        assert LOCAL.resolve(url(repository, ref=ref), scratch()) == commit
    assert LOCAL.resolve(url(repository, ref="v1", commit=tag[:10]), scratch()) == first
    assert LOCAL.resolve(url(repository, ref="v1", commit=first), scratch()) == first
    assert LOCAL.resolve(url(repository, ref=first), scratch()) == first
    with pytest.raises(OtherCommit, match=head):
        LOCAL.resolve(url(repository, commit=first), scratch())
    with pytest.raises(NoSuchRef):
        LOCAL.resolve(url(repository, ref="nothing"), scratch())
    with pytest.raises(NoSuchRef):
        LOCAL.resolve(url(repository, ref=head[:8]), scratch())


def test_files(repository: Path, scratch: Callable[[], str]) -> None:
    head = git(repository, "rev-parse", "HEAD")
    place = scratch()
    found = LOCAL.check_out(url(repository), head, place)
    assert (found.commit, found.time) == (head, 1_000_000_000)
    assert os.listdir(place) == ["tree"]  # the secrets of the configuration are gone
    with DirectorySource(found.root) as source:
        assert selected(source, ".") == "a/ a/x l out run.sh second"
        modes = {item.path: item.entry.mode for match in source.match(".") for item in match.items}
    assert (modes[b"run.sh"], modes[b"second"], modes[b"a"]) == (0o755, 0o644, 0o755)


def test_an_earlier_commit(repository: Path, scratch: Callable[[], str]) -> None:
    first = git(repository, "rev-parse", "other")
    found = LOCAL.check_out(url(repository, commit_times=True), first, scratch())
    assert not os.path.exists(f"{found.root}/second")
    assert os.stat(f"{found.root}/a/x").st_mtime == 1_000_000_000 == os.stat(f"{found.root}/a").st_mtime


def test_the_repository_itself_is_kept_on_request(repository: Path, scratch: Callable[[], str]) -> None:
    head = git(repository, "rev-parse", "HEAD")
    found = LOCAL.check_out(url(repository, keep_git=True), head, scratch())
    assert git(Path(found.root), "rev-parse", "HEAD") == head
    assert git(Path(found.root), "status", "--porcelain") == ""


def test_subdirectories(repository: Path, scratch: Callable[[], str]) -> None:
    head = git(repository, "rev-parse", "HEAD")
    found = LOCAL.check_out(url(repository, subdir="a"), head, scratch())
    assert os.listdir(found.root) == ["x"]
    for subdir in ("second", "nothing", "out", "../../repository"):
        with pytest.raises(NoSubdirectory):
            LOCAL.check_out(url(repository, subdir=subdir), head, scratch())


def test_submodules(repository: Path, scratch: Callable[[], str], tmp_path: Path) -> None:
    outer = make(tmp_path / "outer", "y")
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", f"file://{repository}", "sub")
    git(outer, "add", ".")
    git(outer, "commit", "-qm", "one")
    head = git(outer, "rev-parse", "HEAD")
    found = LOCAL.check_out(url(outer), head, scratch())
    assert sorted(os.listdir(f"{found.root}/sub")) == ["a", "l", "out", "run.sh", "second"]
    found = LOCAL.check_out(url(outer, submodules=False), head, scratch())
    assert os.listdir(f"{found.root}/sub") == []
    # A submodule by a protocol that is not allowed.
    with pytest.raises(GitFailed, match="transport 'file' not allowed"):
        Git(environment=ENVIRONMENT).check_out(url(outer), head, scratch())


def test_nothing_of_the_repository_runs(repository: Path, scratch: Callable[[], str], tmp_path: Path) -> None:
    """Filters and hooks of a repository, and of whoever builds, are not heard."""
    (repository / ".gitattributes").write_text("* filter=evil\n")
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "three")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[filter "evil"]\n\tsmudge = touch {tmp_path}/ran\n[core]\n\thooksPath = {repository}/.git/hooks\n'
    )
    environment = {**ENVIRONMENT, "HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    strict = Git(environment=environment, protocols=("file",))
    strict.check_out(url(repository), strict.resolve(url(repository), scratch()), scratch())
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def web(repository: Path, tmp_path: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The repository behind a plain web server, which knows no way to fetch one commit alone."""
    git(tmp_path, "clone", "-q", "--bare", f"file://{repository}", "web.git")
    git(tmp_path / "web.git", "update-server-info")
    seen: list[dict[str, str]] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            seen.append(dict(self.headers))

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/web.git", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_http(
    web: tuple[str, list[dict[str, str]]], repository: Path, scratch: Callable[[], str]
) -> None:
    address, seen = web
    named = parse(f"{address}#v1:a")
    assert named is not None
    remote = Git(environment=ENVIRONMENT, headers={address: 'Authorization: Bearer "to\\ken"'})
    commit = remote.resolve(named, scratch())
    assert commit == git(repository, "rev-parse", "other")
    assert os.listdir(remote.check_out(named, commit, scratch()).root) == ["x"]
    assert all(headers.get("Authorization") == 'Bearer "to\\ken"' for headers in seen)


def test_what_goes_wrong_is_said_without_secrets(
    web: tuple[str, list[dict[str, str]]], scratch: Callable[[], str]
) -> None:
    address, seen = web
    named = parse(address.replace("http://", "http://user:secret@").replace("web.git", "no.git"))
    assert named is not None
    with pytest.raises(
        GitFailed, match=r"^git ls-remote http://127\.0\.0\.1:\d+/no\.git: .*not found"
    ) as caught:
        Git(environment=ENVIRONMENT).resolve(named, scratch())
    assert "secret" not in str(caught.value)
    assert {headers.get("Authorization") for headers in seen} == {"Basic dXNlcjpzZWNyZXQ="}


def test_ssh_needs_an_agent(scratch: Callable[[], str]) -> None:
    named = parse("git@example.invalid:o/n.git")
    assert named is not None
    with pytest.raises(NeedsAgent):
        Git(environment=ENVIRONMENT).resolve(named, scratch())


def test_without_git(repository: Path, scratch: Callable[[], str], tmp_path: Path) -> None:
    with pytest.raises(NoGit):
        Git(environment={"PATH": str(tmp_path)}).resolve(url(repository), scratch())
