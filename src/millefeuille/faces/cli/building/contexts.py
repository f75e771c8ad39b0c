"""Where a build takes its files and its Dockerfile from: a directory, standard input, a repository, a URL."""

from __future__ import annotations

import importlib
import os
from contextlib import ExitStack

from millefeuille.annotations import Any, NamedTuple
from millefeuille.build.faulty import faulty
from millefeuille.build.request import Request
from millefeuille.build.scratch import scratch
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.engine.build import Tree
from millefeuille.engine.contextfiles import MAXIMUM, NoDockerfile, Written, ignored
from millefeuille.engine.store import founded
from millefeuille.errors import MilleError, Unsupported
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import dockerfile
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.exits import Refusal

_HEAD = 64 << 10  # bytes
_CONTEXT = "the build context"  # what errors call an archive of it


class Place(NamedTuple):
    """A Dockerfile and the files beside it; `key` is the same for builds of the same thing."""

    written: Written
    tree: Tree | None
    key: str
    name: str


class UnknownContext(Unsupported):
    """A kind of context that is not supported here."""


class Contexts:
    """Finds contexts; what it had to fetch or unpack is there as long as `stack` is open."""

    def __init__(self, context: Context, request: Request, stack: ExitStack) -> None:
        self._context = context
        self._request = request
        self._stack = stack

    def place(self, text: str, file: str) -> Place:
        """The context that `text` names, with its Dockerfile, `file` when that is given.

        Raises Refusal, NoDockerfile, BadContext, and what fetching raises.
        """
        if os.path.isdir(text):
            return self._directory(text, file)
        named = _kinds()
        with exits.refusing():
            found = named.context(text)
        if isinstance(found, named.Directory):
            return self._directory(found.path, file)
        if isinstance(found, named.Input):
            return self._input(file)
        if isinstance(found, GitUrl):
            return self._remote(self._git(found), file, text)
        if isinstance(found, named.Download):
            return self._download(found.url, file)
        raise Refusal(f"unable to prepare context: {text} is no directory, URL or -")

    def named(self, option: str) -> tuple[str, Tree | str]:
        """The name and the context of a --build-context. Raises Refusal, UnknownContext."""
        with exits.refusing():
            name, found = _kinds().named(option)
        return str(name), self._named(found, option)

    def _named(self, found: Any, option: str) -> Tree | str:
        named = _kinds()
        if isinstance(found, named.Directory):
            if not os.path.isdir(found.path):
                raise Refusal(f"failed to get build context path {found.path}: no such directory")
            return Tree(path=found.path, ignore=ignored(found.path, ""))
        if isinstance(found, named.Image):
            return str(found.reference)
        if isinstance(found, GitUrl):
            return Tree(path=self._git(found), lasting=False)
        if isinstance(found, named.Download):
            return Tree(path=self._unpacked(self._fetched(found.url)), lasting=False)
        if isinstance(found, named.Layout):
            layouts: Any = importlib.import_module("millefeuille.engine.layouts")
            store = founded(self._context.settings)
            return str(layouts.bring(store, found.path, tag=found.tag, digest=found.digest))
        raise UnknownContext(f"--build-context {option}: not supported", advice="Give a stage by its name.")

    def _directory(self, path: str, file: str) -> Place:
        if not os.path.isdir(path):
            raise Refusal(f'unable to prepare context: path "{path}" not found')
        written = dockerfile.read(self._context, path, file)
        where = os.path.abspath(path)
        tree = Tree(path=path, ignore=ignored(path, written.path))
        return Place(written, tree, where, os.path.basename(where))

    def _input(self, file: str) -> Place:
        if file == "-":
            raise Refusal("invalid argument: can't use stdin for both build context and dockerfile")
        stream = self._context.terminal.binary_input
        head = stream.read(_HEAD)
        archives: Any = importlib.import_module("millefeuille.build.sources.tarcontext")
        if not archives.is_archive(head):
            if file:
                return Place(dockerfile.read(self._context, "", file), None, "-", "-")
            return Place(Written("Dockerfile", head + stream.read(MAXIMUM)), None, "-", "-")

        def chunks() -> Any:
            yield head
            while data := stream.read(1 << 20):
                yield data

        with faulty(_CONTEXT):
            root = archives.unpack(chunks(), self._scratch()).root
        return self._remote(root, file, "-")

    def _download(self, url: str, file: str) -> Place:
        path = self._fetched(url)
        with open(path, "rb") as stream:
            head = stream.read(_HEAD)
            archives: Any = importlib.import_module("millefeuille.build.sources.tarcontext")
            if not archives.is_archive(head):
                text = head + stream.read(MAXIMUM)
                return Place(Written("Dockerfile", text), None, url, url)
        return self._remote(self._unpacked(path), file, url)

    def _remote(self, root: str, file: str, key: str) -> Place:
        """A tree that somebody else made: its Dockerfile is looked for within it only, and it leaves nothing
        out.
        """
        with DirectorySource(root) as source:
            for name in [file] if file else ["Dockerfile", "dockerfile"]:
                try:
                    matches = source.match("/" + name)
                    content = source.open(matches[0].items[0])
                except (MilleError, IndexError):
                    continue
                if isinstance(content, int):
                    with open(content, "rb") as stream:
                        content = stream.read(MAXIMUM)
                written = Written(os.path.basename(name), content)
                return Place(written, Tree(path=root, lasting=False), key, key)
        name = file or "Dockerfile"
        raise NoDockerfile(f"failed to read dockerfile: open {name}: no such file or directory")

    def _git(self, url: GitUrl) -> str:
        remotes = self._remotes()
        commit = remotes.commit(url, self._scratch())
        root: str = remotes.check_out(url, commit, self._scratch()).root
        return root

    def _fetched(self, url: str) -> str:
        path: str = self._remotes().download(url, self._scratch()).path
        return path

    def _unpacked(self, path: str) -> str:
        archives: Any = importlib.import_module("millefeuille.build.sources.tarcontext")
        with open(path, "rb") as stream, faulty(_CONTEXT):
            root: str = archives.unpack(iter(lambda: stream.read(1 << 20), b""), self._scratch()).root
        return root

    def _remotes(self) -> Any:
        # A build from a directory loads nothing that speaks to the network.
        fetching = importlib.import_module("millefeuille.engine.remotes").Fetching
        secrets = self._request.secrets

        def secret(id: str) -> bytes | None:
            return secrets[id].read() if id in secrets else None

        return fetching(self._context.settings.environment, secret, self._request.agents.get("default"))

    def _scratch(self) -> str:
        parent = os.path.join(self._context.settings.root, "build", "scratch-files")
        return self._stack.enter_context(scratch(parent))


def _kinds() -> Any:
    # A build from a directory loads nothing that speaks to the network.
    return importlib.import_module("millefeuille.build.sources.named")
