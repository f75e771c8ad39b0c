"""Which texts name a Git repository."""

from __future__ import annotations

import pytest

from millefeuille.build.sources.giturl import BadGitUrl, GitUrl, parse

SHA = "0123456789" * 4


@pytest.mark.parametrize(
    ("text", "remote", "ref", "subdir"),
    [
        ("https://h/p.git", "https://h/p.git", "", ""),
        ("https://h/p.git#r", "https://h/p.git", "r", ""),
        ("https://h/p.git#r:d/e", "https://h/p.git", "r", "d/e"),
        ("https://h/p.git#:d", "https://h/p.git", "", "d"),
        ("https://u:p@h:1/p.git", "https://u:p@h:1/p.git", "", ""),
        ("http://h/p.git?ref=r&subdir=d", "http://h/p.git", "r", "d"),
        ("https://h/p.git?tag=v1", "https://h/p.git", "refs/tags/v1", ""),
        ("https://h/p.git?branch=b", "https://h/p.git", "refs/heads/b", ""),
        ("https://h/p.git?branch=b#:d", "https://h/p.git", "refs/heads/b", "d"),
        (f"https://h/p.git?commit={SHA}", "https://h/p.git", SHA, ""),
        ("git://h/p", "git://h/p", "", ""),
        ("ssh://u@h/p#r", "ssh://u@h/p", "r", ""),
        ("git@github.com:o/n.git", "git@github.com:o/n.git", "", ""),
        ("git@github.com:o/n#r:d", "git@github.com:o/n", "r", "d"),
        ("me.x@h:n?ref=r", "me.x@h:n", "r", ""),
        ("github.com/o/n", "https://github.com/o/n", "", ""),
    ],
)
def test_repositories(text: str, remote: str, ref: str, subdir: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.remote, found.ref, found.subdir) == (remote, ref, subdir)


@pytest.mark.parametrize(
    "text",
    ["https://h/p", "http://h/a.tar.gz", "https://h/p.git/x", ".", "/a", "a@b/c", "file:///a.git",
     "ext::sh -c x", "github.com", "https://h/x?y=.git", "a:b", ""],
)  # fmt: skip
def test_others(text: str) -> None:
    assert parse(text) is None


def test_options() -> None:
    found = parse(
        "https://h/p.git?keep-git-dir=1&submodules=false&mtime=commit&fetch-by-commit=true&checksum=ab12"
    )
    assert found == GitUrl(
        remote="https://h/p.git", keep_git=True, submodules=False, commit_times=True, fetch_by_commit=True,
        commit="ab12",
    )  # fmt: skip
    assert parse("github.com/o/n") == GitUrl(remote="https://github.com/o/n", plain=True)


@pytest.mark.parametrize(
    "text",
    [
        "https://h/p.git?x=1",
        "https://h/p.git?keep-git-dir=maybe",
        "https://h/p.git?mtime=now",
        "https://h/p.git?ref=a&tag=b",
        "https://h/p.git?ref=a#b",
        "https://h/p.git?subdir=a#:b",
        "https://h/p.git?checksum=xyz",
        "https://h/p.git#--upload-pack=x",
        "https://h/p.git#a b",
        "https://h/p.git#a..b",
        "https://h/p.git#a^{}",
        "-u@h:x",
        "https://h/p.git#a:b/../c?",
    ],
)
def test_refused(text: str) -> None:
    if text.endswith("c?"):
        found = parse(text)
        assert found is not None
        assert found.subdir == "b/../c?"
        return
    with pytest.raises(BadGitUrl):
        parse(text)


def test_secrets_are_not_shown() -> None:
    found = parse("https://user:secret@h/p.git#r")
    assert found is not None
    assert "secret" not in found.shown + found.address
    assert found.address == "https://h/p.git"
    assert found.account == {"https://h/": "Authorization: Basic dXNlcjpzZWNyZXQ="}
    assert GitUrl(remote="git@h:p").account == {} == GitUrl(remote="https://h/p").account
    with pytest.raises(BadGitUrl) as caught:
        parse("https://user:secret@h/p.git?x=1")
    assert "secret" not in str(caught.value)
