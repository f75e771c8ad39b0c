"""Reference: the name a person types for an image.

Grammar and normalisation are those of Docker's distribution/reference library; the table of its answers
is tests/oci/vectors/references-and-platforms.json.
"""

from __future__ import annotations

from millefeuille.errors import Invalid
from millefeuille.later import re
from millefeuille.oci.digest import Digest, is_hex
from millefeuille.values import dataclass, replace

HUB = "docker.io"
DEFAULT_TAG = "latest"
_MAXIMUM_PATH = 255

# Patterns stay text until they are used: a list of images needs none of them.
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?a)(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"(?a){_COMPONENT}(?:/{_COMPONENT})*"
_DIGEST = r"(?a)[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_ID_LENGTH = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_TAG_LETTERS = f"{_LETTERS}{_LETTERS.upper()}_.-"
_TAG_LENGTH = 128


class InvalidReference(Invalid):
    """The text is not an image reference; the message is the one of Docker's library."""


def familiar(normalised: str) -> str:
    """The text of a normalised reference as Docker prints it; for texts that need no checking any more."""
    if not normalised.startswith(f"{HUB}/"):
        return normalised
    rest = normalised.removeprefix(f"{HUB}/")
    short = rest.removeprefix("library/")
    return rest if "/" in short else short


def _bad() -> InvalidReference:
    return InvalidReference("invalid reference format")


@dataclass(frozen=True, slots=True)
class Reference:
    """`registry/repository[:tag][@digest]`, normalised: `nginx` is `docker.io/library/nginx`.

    `tag` is None when none was given; `tagged()` adds Docker's default.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read and normalise what a person types.

        Raises InvalidReference, or InvalidDigest for a malformed digest part.
        """
        if len(text) == _ID_LENGTH and is_hex(text):
            raise InvalidReference(
                f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
            )
        registry, remainder = _split_domain(text)
        name = remainder.partition("@" if ":" not in remainder else ":")[0]
        if name.lower() != name:
            raise InvalidReference(f"invalid reference format: repository name ({name}) must be lowercase")
        rest, tag, digest = _split_suffix(remainder)
        if not _is_path(rest) or (registry != HUB and not _is_domain(registry)):
            raise _bad()
        if len(rest) > _MAXIMUM_PATH:
            raise InvalidReference("repository name must not be more than 255 characters")
        return cls(registry, rest, tag, Digest.parse(digest) if digest is not None else None)

    @property
    def name(self) -> str:
        """`registry/repository`, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar_name(self) -> str:
        """The repository as Docker prints it: Docker Hub's own prefix is left out."""
        if self.registry != HUB:
            return self.name
        prefix, _, rest = self.repository.partition("/")
        if prefix == "library" and rest and "/" not in rest:
            return rest
        return self.repository

    @property
    def familiar(self) -> str:
        """The whole reference as Docker prints it."""
        return self.familiar_name + self._suffix()

    def tagged(self) -> Reference:
        """This reference with the default tag when it has neither tag nor digest."""
        if self.tag is None and self.digest is None:
            return replace(self, tag=DEFAULT_TAG)
        return self

    def with_tag(self, tag: str) -> Reference:
        """The same repository under `tag`, without digest. Raises InvalidReference."""
        if not _is_tag(tag):
            raise _bad()
        return Reference(self.registry, self.repository, tag)

    def pinned(self, digest: Digest) -> Reference:
        """The same repository by `digest` alone."""
        return Reference(self.registry, self.repository, None, digest)

    @property
    def repository_only(self) -> Reference:
        """The reference without tag and digest."""
        return Reference(self.registry, self.repository)

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return tag + digest

    def __str__(self) -> str:
        return self.name + self._suffix()


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_domain = slash and (first == "localhost" or "." in first or ":" in first or first.lower() != first)
    registry, remainder = (first, rest) if is_domain else (HUB, text)
    if registry == "index.docker.io":
        registry = HUB
    if registry == HUB and "/" not in remainder:
        remainder = f"library/{remainder}"
    return registry, remainder


def _split_suffix(remainder: str) -> tuple[str, str | None, str | None]:
    """Cut `path[:tag][@digest]` from the right. Raises InvalidReference."""
    rest, at, digest = remainder.partition("@")
    if at and not re.fullmatch(_DIGEST, digest):
        raise _bad()
    path, colon, tag = rest.partition(":")
    if colon and not _is_tag(tag):
        raise _bad()
    return path, tag if colon else None, digest if at else None


def _is_path(text: str) -> bool:
    # Most names are made of letters and dashes; the rest is worth loading regular expressions.
    plain = all(
        part and part[0] != "-" != part[-1] and not part.replace("-", "").strip(_LETTERS)
        for part in text.split("/")
    )
    return plain or re.fullmatch(_PATH, text) is not None


def _is_tag(text: str) -> bool:
    return 0 < len(text) <= _TAG_LENGTH and text[0] not in ".-" and not text.strip(_TAG_LETTERS)


def _is_domain(text: str) -> bool:
    """Brackets hold an address; Go refuses those that are not one by grammar alone."""
    return re.fullmatch(_DOMAIN, text) is not None and not (
        text.startswith("[") and ":" not in text.partition("]")[0]
    )
