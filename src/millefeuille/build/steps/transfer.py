"""COPY: files of a context, a stage or an image as a layer; and what ADD has in common with it.

In the key: what is copied, by content, name, mode, owner and attributes; where to, as whom; the stack below,
but not for --link; with an epoch the times of files too. Not in it: where the context lies.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.build import process, words
from millefeuille.build.copying import chmod
from millefeuille.build.copying.copy import CopyWishes, Selected, copied_from
from millefeuille.build.copying.heredocs import HeredocSource
from millefeuille.build.copying.layered import LayeredSource
from millefeuille.build.copying.root import RootTree
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import Add, Copy
from millefeuille.build.layering import Task
from millefeuille.build.plan import FromContext
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.source import Source
from millefeuille.build.sources.times import times
from millefeuille.build.state import State
from millefeuille.build.steps.step import Site, Workshop, epoch_input
from millefeuille.layers.following import asserts_directory
from millefeuille.store.images import LayerRecord

Transfer = Copy | Add


def copy(workshop: Workshop, site: Site, instruction: Copy) -> State:
    """The state after the copy.

    Raises NotFound for what is not there, WrongKind, InvalidMode, NoSuchOwner, ContextChanged …
    """
    if instruction.from_:
        origin = site.origin(instruction.from_)
        if not isinstance(origin, FromContext):
            return _from_layers(workshop, site, instruction, site.layers(workshop, origin))
        context: Source = workshop.directory(origin)
    elif all(isinstance(one, Heredoc) for one in instruction.sources):
        return _copy(workshop, site, instruction, documents_source(workshop, instruction.sources))
    else:
        context = workshop.directory(FromContext())
    return _copy(workshop, site, instruction, context)


def _from_layers(
    workshop: Workshop, site: Site, instruction: Copy, layers: tuple[LayerRecord, ...]
) -> State:
    """What is copied from a stack of layers is found by the stack, before by the files selected in it."""
    chain = [str(layer.diff_id) for layer in layers]
    named = list(map(str, instruction.sources))
    early = {**inputs(workshop, site, instruction), "from": chain, "sources": named}
    found = workshop.layering.early(site.state, task(workshop, site, instruction, early))
    if found is not None:
        return found
    workshop.layering.cache.hold()
    with RootTree(workshop.layering.store.disk, layers) as tree:
        return _copy(workshop, site, instruction, LayeredSource(tree), also=early)


def _copy(
    workshop: Workshop, site: Site, instruction: Copy, source: Source,
    *, also: Mapping[str, Any] | None = None,
) -> State:  # fmt: skip
    selected = _select(workshop, instruction, source)
    octal = bool(instruction.chmod) and chmod.parse(instruction.chmod).octal is not None
    wanted = {
        **inputs(workshop, site, instruction),
        **contents(workshop, selected, mode=not octal),
    }

    def make() -> LayerRecord:
        layering = workshop.layering
        with RootTree(layering.store.disk, site.state.layers) as tree:
            asked = wishes(workshop, site, instruction)
            layer = layering.stored(copied_from(tree, selected, asked))
        if isinstance(source, DirectorySource):
            source.verify([match for one, matches in selected if one is source for match in matches])
        return layer

    return workshop.layering.step(site.state, task(workshop, site, instruction, wanted), make, also=also)


def _select(workshop: Workshop, instruction: Copy, source: Source) -> list[Selected]:
    """What each argument selects; here-documents may stand between files of the source."""
    found: list[Selected] = []
    for one in instruction.sources:
        if isinstance(one, Heredoc):
            documents = documents_source(workshop, [one])
            found.append((documents, documents.match(one.name)))
        else:
            matches = source.match(one, exclude=instruction.exclude, parents=instruction.parents)
            found.append((source, matches))
    return found


def documents_source(workshop: Workshop, documents: Iterable[object]) -> HeredocSource:
    """Here-documents as a source."""
    texts = {
        one.name: one.chomped().encode("utf-8", "surrogateescape")
        for one in documents
        if isinstance(one, Heredoc)
    }
    return HeredocSource(texts, **_dated(workshop))


def _dated(workshop: Workshop) -> dict[str, int]:
    return {} if workshop.request.epoch is None else {"mtime": workshop.request.epoch}


def wishes(workshop: Workshop, site: Site, instruction: Transfer) -> CopyWishes:
    """What the instruction asks for beside its sources."""
    return CopyWishes(
        destination=instruction.destination,
        directory=site.state.directory,
        chown=instruction.chown,
        chmod=instruction.chmod,
        link=instruction.link,
        parents=isinstance(instruction, Copy) and instruction.parents,
        epoch=workshop.request.epoch,
    )


def inputs(workshop: Workshop, site: Site, instruction: Transfer) -> dict[str, Any]:
    """All that goes into the layer but the files."""
    by_name = any(part and not part.isdecimal() for part in instruction.chown.split(":"))
    # BuildKit takes --link with --chmod for a plain copy, and so does `CopyWishes`.
    alone = instruction.link and not instruction.chmod and not by_name
    found: dict[str, Any] = {
        "op": "add" if isinstance(instruction, Add) else "copy",
        "parent": "" if alone else site.parent,
        "destination": _place(site.state.directory, instruction.destination),
    }
    further = {
        "chown": instruction.chown,
        "chmod": instruction.chmod,
        "link": instruction.link,
        "parents": isinstance(instruction, Copy) and instruction.parents,
        "exclude": list(instruction.exclude),
        "unpack": instruction.unpack if isinstance(instruction, Add) else None,
    }
    asked = {name: value for name, value in further.items() if value not in (None, "", False, [])}
    return found | asked | epoch_input(workshop)


def contents(workshop: Workshop, selected: Sequence[Selected], *, mode: bool) -> dict[str, Any]:
    """The identities of the files themselves, modes in them or not; with an epoch also of their times."""
    epoch = workshop.request.epoch
    found = {"content": [source.digest(matches, mode=mode) for source, matches in selected]}
    return found if epoch is None else found | {"times": [times(matches, epoch) for _, matches in selected]}


def _place(directory: str, destination: str) -> str:
    """Where it goes, absolute; with a slash at the end where it must be a directory."""
    path = process.joined(directory, destination)
    return path.rstrip("/") + "/" if asserts_directory(os.fsencode(destination)) else path


def task(workshop: Workshop, site: Site, instruction: Transfer, inputs: Mapping[str, Any]) -> Task:
    flags = []
    if isinstance(instruction, Copy) and instruction.parents:
        flags.append("--parents")
    if instruction.chown:
        flags.append(f"--chown={instruction.chown}")
    if instruction.chmod:
        flags.append(f"--chmod={instruction.chmod}")
    if instruction.link:
        flags.append("--link")
    sources = [f"<<{one.name}" if isinstance(one, Heredoc) else one for one in instruction.sources]
    word = "ADD" if isinstance(instruction, Add) else "COPY"
    return Task(
        vertex=site.vertex,
        created_by=words.copy(word, flags, sources, instruction.destination),
        inputs=inputs,
        fresh=workshop.request.renews(site.stage.name),
    )
