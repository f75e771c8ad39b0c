"""Git: a repository of somebody else made a directory, by the `git` of this host.

Nothing in the repository, nor in anybody's configuration, runs a program here: no hooks, no filters, no
helpers, no templates, and no protocol but those for fetching from afar.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.errors import Corrupt, Denied, Failed, NotFound, Unsupported
from millefeuille.layers.following import follow
from millefeuille.registry.redaction import clean
from millefeuille.values import dataclass, field

PROTOCOLS: Final = ("https", "http", "ssh", "git")
_PASSED: Final = (
    "PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy",
    "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
)  # fmt: skip
_SETTINGS: Final = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=true", "core.autocrlf=false",
    "init.defaultBranch=main", "advice.detachedHead=false", "protocol.version=2", "gc.auto=0",
    "maintenance.auto=false", "credential.helper=", "fetch.recurseSubmodules=false",
    "submodule.recurse=false", "core.protectHFS=true", "core.protectNTFS=true",
)  # fmt: skip
_SSH: Final = "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentityFile=none"
_ADVERTISED: Final = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)", re.ASCII)
_LAST_LINES: Final = 3


class GitFailed(Failed):
    """Git did not do what it was asked for."""


class NoGit(Unsupported):
    """There is no `git` on this host."""


class NoSuchRef(NotFound):
    """A repository has no such branch, tag or commit."""


class OtherCommit(Corrupt):
    """A ref leads to another commit than it must."""


class NeedsAgent(Denied):
    """A repository is reached by SSH, and the build was given no keys."""


class NoSubdirectory(NotFound):
    """A repository has no directory at the path that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Files of a repository: the directory, the commit, and that commit's time in seconds."""

    root: str
    commit: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """How to reach repositories. `environment` is the caller's, of which only proxies and certificates go on.

    `agent` is the socket of an SSH agent; `headers` are HTTP headers by the beginning of the URLs that they
    are for, secrets. `protocols` are those that may be spoken.
    """

    environment: Mapping[str, str]
    agent: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    protocols: Sequence[str] = PROTOCOLS

    def resolve(self, url: GitUrl, directory: str) -> str:
        """The commit that a URL means now. `directory` is an empty one of the caller's, for files of ours.

        Raises NoSuchRef, OtherCommit, GitFailed, NoGit, NeedsAgent.
        """
        if url.is_commit:
            return _checked(url, url.ref, url.ref)
        ref = url.ref or "HEAD"
        with _Configured(self, url, directory) as git:
            answer = git("ls-remote", "--", url.address, ref, f"{ref}^{{}}")
        found = {name: commit for commit, name in _ADVERTISED.findall(answer)}
        for name in (ref, f"refs/tags/{ref}", f"refs/heads/{ref}"):
            if name in found:
                return _checked(url, found.get(f"{name}^{{}}", found[name]), found[name])
        if _is_short(ref):
            raise NoSuchRef(f"{url.shown}: {ref} is no branch or tag", advice="Give the whole commit.")
        raise NoSuchRef(f"{url.shown}: no branch, tag or commit {ref}")

    def check_out(self, url: GitUrl, commit: str, directory: str) -> Checkout:
        """Make the files of a commit, below the empty `directory`, which is the caller's to remove.

        Raises GitFailed, NoGit, NeedsAgent, NoSubdirectory.
        """
        root = f"{directory}/tree"
        with _Configured(self, url, directory) as git:
            git("init", "--quiet", "--template=", "--", root)
            git("remote", "add", "--", "origin", url.address, at=root)
            self._fetch(git, url, commit, root)
            git("checkout", "--quiet", "--force", "--detach", commit, at=root)
            if url.submodules is not False and os.path.lexists(f"{root}/.gitmodules"):
                git("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1", at=root)
            time = int(git("show", "--no-patch", "--format=%ct", commit, at=root))
        if not url.keep_git:
            _remove_git(root)
        if url.commit_times:
            _set_times(root, time * 1_000_000_000)
        return Checkout(root=_subdirectory(root, url), commit=commit, time=time)

    def _fetch(self, git: _Configured, url: GitUrl, commit: str, root: str) -> None:
        """Fetch one commit alone; where a server does not give that, what leads to it."""
        try:
            git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", commit, at=root)
            return
        except GitFailed:
            refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
            git("fetch", "--quiet", "--no-tags", "origin", *refs, at=root)
        try:
            git("cat-file", "-e", f"{commit}^{{commit}}", at=root)
        except GitFailed as error:
            raise NoSuchRef(f"{url.shown}: no commit {commit}") from error


class _Configured:
    """Runs git with a configuration of our own, which lies in a file while it is needed: it holds secrets."""

    def __init__(self, settings: Git, url: GitUrl, directory: str) -> None:
        self._settings = settings
        self._url = url
        self._home = f"{directory}/home"

    def __enter__(self) -> _Configured:
        if self._url.is_ssh and self._settings.agent is None:
            raise NeedsAgent(
                f"{self._url.shown}: SSH needs keys", advice="Give the build an agent with --ssh default."
            )
        files.make_directory(self._home)
        headers = {**self._url.account, **self._settings.headers}
        lines = [
            f'[http "{_quoted(start)}"]\n\textraHeader = "{_quoted(header)}"\n'
            for start, header in headers.items()
        ]
        files.replace_file(f"{self._home}/config", "".join(lines).encode())
        return self

    def __exit__(self, *exception: object) -> None:
        files.remove_tree(self._home)

    def __call__(self, *arguments: str, at: str | None = None) -> str:
        """What git writes. Raises GitFailed, NoGit."""
        options = [word for setting in _SETTINGS for word in ("-c", setting)]
        files.act("git", arguments[0])
        try:
            done = subprocess.run(
                ["git", *options, *arguments], cwd=at or self._home, env=self._environment(), umask=0o022,
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise NoGit(
                "git is not installed", advice="Install git, or clone the repository first."
            ) from error
        if done.returncode:
            words = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
            said = clean(" ".join(words[-_LAST_LINES:])) or f"exit code {done.returncode}"
            raise GitFailed(f"git {arguments[0]} {self._url.shown}: {said}")
        return done.stdout.decode(errors="surrogateescape")

    def _environment(self) -> Mapping[str, str]:
        given = self._settings.environment
        passed = {name: given[name] for name in _PASSED if name in given}
        agent = {"SSH_AUTH_SOCK": self._settings.agent} if self._settings.agent else {}
        return {
            **passed, **agent,
            "HOME": self._home, "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": f"{self._home}/config", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": ":".join(self._settings.protocols), "GIT_SSH_COMMAND": _SSH,
            "GIT_SSH_VARIANT": "ssh", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_OPTIONAL_LOCKS": "0",
        }  # fmt: skip


def _checked(url: GitUrl, commit: str, advertised: str) -> str:
    """The commit, when it is, or its tag is, the one that it must be."""
    if url.commit and not commit.startswith(url.commit) and not advertised.startswith(url.commit):
        raise OtherCommit(f"{url.shown}: expected commit {url.commit}, got {commit}")
    return commit


def _is_short(ref: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{4,39}", ref) is not None


def _quoted(text: str) -> str:
    if "\n" in text or "\0" in text:
        raise GitFailed("a header for git has a line break in it")
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _remove_git(root: str) -> None:
    """Remove what git keeps for itself: at the top, and in every submodule."""
    for directory, names, others in os.walk(root):
        if ".git" in names or ".git" in others:
            files.remove_tree(f"{directory}/.git")
            names[:] = [name for name in names if name != ".git"]


def _set_times(root: str, time: int) -> None:
    for path in _below(root):
        files.act("utime", path)
        os.utime(path, ns=(time, time), follow_symlinks=False)


def _below(root: str) -> Iterator[str]:
    for directory, names, others in os.walk(root, topdown=False):
        yield from (f"{directory}/{name}" for name in (*names, *others))
    yield root


def _subdirectory(root: str, url: GitUrl) -> str:
    if not url.subdir:
        return root

    def link_at(path: bytes) -> bytes | None:
        try:
            return os.readlink(os.path.join(os.fsencode(root), path))
        except OSError:
            return None

    path = os.fsdecode(follow(os.fsencode(url.subdir), link_at, leaf=True))
    found = f"{root}/{path}" if path else root
    if not os.path.isdir(found):
        raise NoSubdirectory(f"{url.shown}: no directory {url.subdir}")
    return found
