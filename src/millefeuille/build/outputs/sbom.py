"""SBOM: the packages of a result, as an SPDX document.

Source: SPDX 2.3, JSON; https://spdx.github.io/spdx-spec/v2.3/
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Iterator, Mapping

from millefeuille import __version__
from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.config import described
from millefeuille.build.outputs.finished import Finished
from millefeuille.layers.tree import Node
from millefeuille.oci.moment import nanoseconds, rfc3339
from millefeuille.packages.found import Found, find, with_executables
from millefeuille.packages.package import APK, DEB, RPM, Package
from millefeuille.packages.purl import purl
from millefeuille.store.filetree import FileTree
from millefeuille.store.store import Store

SPDX: Final = "https://spdx.dev/Document"
_NAMESPACE: Final = "https://spdx.org/spdxdocs/millefeuille"
_UNKNOWN: Final = "NOASSERTION"
_ELF: Final = b"\x7fELF"
_ROOT: Final = "SPDXRef-Root"
_PERSON: Final = re.compile(r"(.+?)\s*<([^>]+)>")


class TreeFiles:
    """The regular files of a merged tree, for those who look for packages."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._nodes: dict[bytes, Node] = {}
        pending = [(b"", tree.root)]
        while pending:
            path, node = pending.pop()
            if stat.S_ISREG(node.mode):
                self._nodes[path] = node
            prefix = path + b"/" if path else b""
            pending += ((prefix + name, child) for name, child in (node.children or {}).items())

    def paths(self) -> Iterable[bytes]:
        """The paths of all regular files, sorted."""
        return sorted(self._nodes)

    def read(self, path: bytes) -> bytes:
        """The content of one of them. Raises DamagedContent."""
        node = self._nodes[path]
        data = bytearray(node.size)
        for offset, run in self._tree.content(node):
            data[offset : offset + len(run)] = run
        return bytes(data)


    def executables(self) -> Iterator[tuple[bytes, bytes]]:
        """The ELF files that may be run, each with its content. Raises DamagedContent."""
        for path in self.paths():
            node = self._nodes[path]
            if node.mode & 0o111 and node.size > len(_ELF) and self._begins(node) == _ELF:
                yield path, self.read(path)

    def _begins(self, node: Node) -> bytes:
        first = next(iter(self._tree.content(node)), (0, b""))
        return bytes(first[1][: len(_ELF)])


def found_packages(store: Store, finished: Finished) -> Found:
    """The packages that a state's files list. Raises DamagedLayer, DamagedContent, BrokenLink, OSError."""
    with FileTree(store.disk, finished.layers, "of the build's result") as tree:
        files = TreeFiles(tree)
        return with_executables(find(files), files.executables())


def sbom(finished: Finished, found: Found, subjects: tuple[str, ...]) -> Statement:
    """The statement of what is in one platform's image; the same packages give the same document."""
    return Statement(predicate_type=SPDX, predicate=document(finished, found), subjects=subjects)


def document(finished: Finished, found: Found) -> Mapping[str, Any]:
    """The SPDX document. Its time is the image's."""
    packages = [*_described(found)]
    identity = hashlib.sha256(repr(packages).encode()).hexdigest()
    created = nanoseconds(described(finished).created)
    root = {
        "SPDXID": _ROOT, "name": "/", "downloadLocation": _UNKNOWN, "filesAnalyzed": False,
        "primaryPackagePurpose": "CONTAINER", "licenseConcluded": _UNKNOWN, "licenseDeclared": _UNKNOWN,
        "copyrightText": _UNKNOWN,
    }  # fmt: skip
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "image",
        "documentNamespace": f"{_NAMESPACE}/{identity}",
        "creationInfo": {
            "created": rfc3339(created // 1_000_000_000 * 1_000_000_000),
            "creators": [f"Tool: millefeuille-{__version__}"],
            **({"comment": "Not read: " + "; ".join(found.unread)} if found.unread else {}),
        },
        "packages": [root, *packages],
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", _ROOT),
            *(_relation(_ROOT, "CONTAINS", package["SPDXID"]) for package in packages),
        ],
    }


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _described(found: Found) -> Iterator[dict[str, Any]]:
    for package in found.packages:
        url = purl(package, found.system)
        location = package.location.decode(errors="replace")
        identity = hashlib.sha256(f"{url}\0{location}".encode()).hexdigest()[:16]
        yield {
            "SPDXID": f"SPDXRef-Package-{package.kind}-{identity}",
            "name": package.name,
            "versionInfo": package.version,
            "supplier": _supplier(package),
            "downloadLocation": _UNKNOWN,
            "filesAnalyzed": False,
            "sourceInfo": f"found in /{location}",
            "licenseConcluded": _UNKNOWN,
            "licenseDeclared": _UNKNOWN,
            **({"licenseComments": f"its record says: {package.licence}"} if package.licence else {}),
            "copyrightText": _UNKNOWN,
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url,
                }
            ],
        }  # fmt: skip


def _supplier(package: Package) -> str:
    match = _PERSON.fullmatch(package.supplier)
    if not package.supplier:
        return _UNKNOWN
    kind = "Organization" if package.kind in (DEB, APK, RPM) else "Person"
    return f"{kind}: {match[1]} ({match[2]})" if match else f"{kind}: {package.supplier}"
