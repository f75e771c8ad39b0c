"""Node's packages: package.json of what lies below node_modules.

Source: npm documentation, "package.json".
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from millefeuille.annotations import Any
from millefeuille.packages.package import NPM, BadRecord, Package


def npm_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The package that a package.json describes; none when it has no name or version. Raises BadRecord."""
    try:
        fields = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadRecord("not JSON") from error
    if not isinstance(fields, dict) or not _text(fields.get("name")) or not _text(fields.get("version")):
        return
    yield Package(
        kind=NPM, name=_text(fields["name"]), version=_text(fields["version"]), location=location,
        licence=_licence(fields), supplier=_person(fields.get("author")),
    )  # fmt: skip


def _licence(fields: dict[str, Any]) -> str:
    """The licence, in today's form or in one of the two older ones."""
    value = fields.get("license")
    several = fields.get("licenses")
    if isinstance(several, list) and value is None:
        names = [_text(one.get("type")) for one in several if isinstance(one, dict)]
        return " OR ".join(name for name in names if name)
    return _text(value.get("type")) if isinstance(value, dict) else _text(value)


def _person(value: object) -> str:
    return _text(value.get("name")) if isinstance(value, dict) else _text(value)


def _text(value: object) -> str:
    # JSON can say halves of a character, which no text that leaves here may have.
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
