"""Digest: the name of some bytes."""

from __future__ import annotations

import importlib

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.later import re
from millefeuille.sha256 import sha256
from millefeuille.values import dataclass

# Hex length by algorithm (registered in the OCI image specification).
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_SHAPE = r"(?a)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+"
_HEX = "0123456789abcdef"


_SMALL = 1 << 18  # bytes, of a document; OpenSSL hashes faster, and takes longer to load than these


def is_hex(text: str) -> bool:
    """Whether a text is hex digits, in lower case, and nothing else."""
    return text != "" and not text.strip(_HEX)


class InvalidDigest(Invalid):
    """The text is not a digest this engine accepts."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """`algorithm:hex`, validated once, so that nobody has to check it again before using it in a path.

    Source: OCI image-spec, descriptor.md, "Digests".
    """

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        length = _LENGTHS.get(self.algorithm)
        if length is None:
            raise InvalidDigest("unsupported digest algorithm")
        if len(self.hex) != length:
            raise InvalidDigest("invalid checksum digest length")
        if not is_hex(self.hex):
            raise InvalidDigest("invalid checksum digest format")

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hex`. Raises InvalidDigest."""
        if not isinstance(text, str):
            raise InvalidDigest("invalid checksum digest format")
        algorithm, _, encoded = text.partition(":")
        # A digest as it should be needs no regular expressions, which take long to load.
        proper = len(encoded) == _LENGTHS.get(algorithm) and is_hex(encoded)
        if not proper and not re.fullmatch(_SHAPE, text):
            raise InvalidDigest("invalid checksum digest format")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Digest:
        """The digest of `data`."""
        return cls(algorithm, _hasher(algorithm, data).hexdigest())

    def hasher(self) -> Any:
        """A fresh hashlib object of this digest's algorithm."""
        return _hasher(self.algorithm)

    @property
    def short(self) -> str:
        """The first twelve hex digits, as Docker prints them."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def _hasher(algorithm: str, data: bytes = b"") -> Any:
    if algorithm == "sha256" and 0 < len(data) <= _SMALL:
        return sha256(data)
    # Loaded by name: a list of images does without OpenSSL.
    return importlib.import_module("hashlib").new(algorithm, data)
