"""`mille image secrets`."""

from __future__ import annotations

import json
import os

from millefeuille.annotations import Any, Final
from millefeuille.docker.table import table
from millefeuille.engine.store import existing
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import escaped
from millefeuille.faces.cli.options import boolean, string
from millefeuille.images.secrets import Finding, secrets
from millefeuille.oci.platform import Platform
from millefeuille.store.names import no_such_image

VERSION: Final = "1.0"  # of the document
FOUND: Final = 1  # the exit code of an image with secrets
FAILED: Final = 2  # and of a search that could not run
_HEADS: Final = ("KIND", "WHERE", "PATH", "OFFSET", "STATE", "SECRET")

JSON = boolean("json", "Print the findings as JSON")
PLATFORM = string("platform", 'Search the given platform variant. Formatted as "os[/arch[/variant]]"')


def run(context: Context, call: Call) -> int:
    """Find keys, tokens and passwords in an image, also in files that a later layer removed."""
    found = _found(context, call)
    if call[JSON]:
        context.terminal.write(_json(call.arguments[0], found))
    else:
        context.terminal.write(_text(found))
    return FOUND if found else 0


def _found(context: Context, call: Call) -> tuple[Finding, ...]:
    store = existing(context.settings)
    if store is None:
        raise no_such_image(call.arguments[0])
    platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
    return secrets(store, call.arguments[0], platform)


def _text(found: tuple[Finding, ...]) -> str:
    if not found:
        return "No secrets found\n"
    rows = [
        (
            one.match.rule, one.where, f"/{escaped(one.path)}" if one.path else "-",
            str(one.offset) if one.layer is not None else "-", _state(one),
            escaped(one.match.redacted.encode()),
        )
        for one in found
    ]  # fmt: skip
    hidden = sum(one.killer is not None for one in found)
    lines = [table(_HEADS, rows)]
    if hidden:
        lines.append(
            f"{hidden} {'is' if hidden == 1 else 'are'} in files that the image does not show,"
            " and can be read from its layers:\n"
        )
        lines += [f"  {_proof(one)}\n" for one in found if one.killer is not None]
    return "".join(lines)


def _state(one: Finding) -> str:
    return "in use" if one.killer is None else f"recoverable (hidden by layer {one.killer})"


def _proof(one: Finding) -> str:
    return (
        f"/{escaped(one.path)}: {one.match.length} bytes at offset {one.offset} of layer {one.diff_id}, "
        f"sha256 {one.match.sha256[:16]}…"
    )


def _json(name: str, found: tuple[Finding, ...]) -> str:
    document: dict[str, Any] = {
        "schemaVersion": VERSION, "image": name, "findings": [_document(one) for one in found]
    }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


def _document(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.match.rule, "where": one.where, "path": os.fsdecode(one.path) or None,
        "layer": one.layer, "diffId": one.diff_id or None, "digest": one.digest or None,
        "offset": one.offset if one.layer is not None else None, "lengthBytes": one.match.length,
        "sha256": one.match.sha256, "redacted": one.match.redacted, "live": one.killer is None,
        "hiddenByLayer": one.killer, "recoverable": one.layer is not None,
        "createdBy": one.step or None,
    }  # fmt: skip


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=exactly(1),
    options=(
        JSON,
        PLATFORM,
    ),
    run=run,
    complete="image",
    failure=FAILED,
)
