"""ADD: COPY, and archives that are extracted, files at URLs, Git repositories.

What is fetched is in the key by its content: a commit, a checksum that was promised (nothing is fetched then
for what is in the cache), else the bytes that came.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from millefeuille.annotations import Any
from millefeuille.build.copying import chmod
from millefeuille.build.copying.add import added
from millefeuille.build.copying.copy import Selected
from millefeuille.build.copying.fetched import FetchedSource
from millefeuille.build.copying.root import RootTree
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import Add
from millefeuille.build.plan import FromContext
from millefeuille.build.scratch import scratch
from millefeuille.build.sources import giturl
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.giturl import GitUrl
from millefeuille.build.state import State
from millefeuille.build.steps.step import Site, Workshop
from millefeuille.build.steps.transfer import contents, documents_source, inputs, task, wishes
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remote:
    """What one argument means: a repository at a commit, or a URL."""

    git: GitUrl | None = None
    url: str = ""
    commit: str = ""


def add(workshop: Workshop, site: Site, instruction: Add) -> State:
    """The state after the ADD.

    Raises as `transfer` does, ChecksumMismatch, and what fetching raises.
    """
    remotes = [_remote(one, instruction) for one in instruction.sources]
    with ExitStack() as stack:
        directory = stack.enter_context(scratch(workshop.scratch))
        remotes = [_resolved(workshop, one, directory) for one in remotes]
        promised = _promised(instruction, remotes)
        early = None
        if promised is not None:
            early = {**inputs(workshop, site, instruction), "promised": promised}
            found = workshop.layering.early(site.state, task(workshop, site, instruction, early))
            if found is not None:
                return found
        selected = [
            _select(workshop, instruction, n, one, directory, stack) for n, one in enumerate(remotes)
        ]
        return _add(workshop, site, instruction, selected, early, directory)


def _remote(source: str | Heredoc, instruction: Add) -> _Remote | None:
    if isinstance(source, Heredoc):
        return None
    found = giturl.parse(source)
    if found is not None and not found.plain:
        if instruction.keep_git_dir is not None:
            found = replace(found, keep_git=instruction.keep_git_dir)
        if instruction.checksum:
            found = replace(found, commit=instruction.checksum)
        return _Remote(git=found)
    return _Remote(url=source) if source.startswith(("http://", "https://")) else None


def check_checksum(instruction: Add) -> None:
    """Hold that what has a checksum can have one. Raises Complaint."""
    remotes = [_remote(one, instruction) for one in instruction.sources]
    if len(remotes) != 1:
        raise Complaint("checksum can't be specified for multiple sources")
    if remotes[0] is None:
        raise Complaint("checksum requires HTTP(S) or Git sources")


def _resolved(workshop: Workshop, remote: _Remote | None, directory: str) -> _Remote | None:
    if remote is None or remote.git is None:
        return remote
    place = _directory(directory)
    return replace(remote, commit=workshop.remotes().commit(remote.git, place))


def _promised(instruction: Add, remotes: Sequence[_Remote | None]) -> Any:
    """What stands for the content before anything is fetched; None when not all of it is known."""
    known = []
    for one in remotes:
        if one is None or (one.git is None and not instruction.checksum):
            return None
        if one.git is not None:
            known.append(["git", one.commit, one.git.subdir, one.git.keep_git, one.git.submodules])
        else:
            known.append(["http", instruction.checksum, one.url])
    return known


def _select(
    workshop: Workshop, instruction: Add, number: int, remote: _Remote | None, directory: str,
    stack: ExitStack,
) -> Selected:  # fmt: skip
    written = instruction.sources[number]
    if remote is None:
        if isinstance(written, Heredoc):
            source = documents_source(workshop, [written])
            return source, source.match(written.name)
        context = workshop.directory(FromContext())
        return context, context.match(written, exclude=instruction.exclude)
    place = _directory(directory)
    if remote.git is not None:
        checkout = workshop.remotes().check_out(remote.git, remote.commit, place)
        tree = stack.enter_context(DirectorySource(checkout.root))
        return tree, tree.match("/", exclude=instruction.exclude)
    checksum = Digest.parse(instruction.checksum) if instruction.checksum else None
    found = workshop.remotes().download(remote.url, place, checksum)
    descriptor = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    file = FetchedSource(found.name, descriptor, found.modified)
    return file, file.match(found.name)


def _add(
    workshop: Workshop, site: Site, instruction: Add, selected: Sequence[Selected],
    early: Mapping[str, Any] | None, directory: str,
) -> State:  # fmt: skip
    octal = bool(instruction.chmod) and chmod.parse(instruction.chmod).octal is not None
    wanted = {**inputs(workshop, site, instruction), **contents(workshop, selected, mode=not octal)}
    is_remote = any(isinstance(source, FetchedSource) for source, _ in selected)

    def make() -> LayerRecord:
        layering = workshop.layering
        # Files from URLs are extracted only where that is asked for.
        unpack = instruction.unpack if instruction.unpack is not None else not is_remote
        with RootTree(layering.store.disk, site.state.layers) as tree:
            asked = wishes(workshop, site, instruction)
            with added(tree, selected, asked, unpack=unpack, scratch=directory) as members:
                layer = layering.stored(members)
        for source, matches in selected:
            if isinstance(source, DirectorySource):
                source.verify(matches)
        return layer

    return workshop.layering.step(site.state, task(workshop, site, instruction, wanted), make, also=early)


def _directory(parent: str) -> str:
    path = f"{parent}/{os.urandom(4).hex()}"
    os.mkdir(path, 0o700)
    return path

