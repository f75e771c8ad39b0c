"""Found: one image of an archive, and where its bytes lie. Nothing is trusted before digests match."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.later import hashlib
from millefeuille.layers.compression import sniff
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.plainjson import dumps
from millefeuille.store.blobs import BlobNotFound, CorruptBlob
from millefeuille.transfer.archive.contents import BadArchive, Contents, Member, MemberStream
from millefeuille.transfer.plan import Plan
from millefeuille.values import dataclass

_CHUNK: Final = 1 << 20  # bytes
LAYER_TYPES: Final[Mapping[str, str]] = {
    "none": mediatype.OCI_LAYER, "gzip": mediatype.OCI_LAYER_GZIP, "zstd": mediatype.OCI_LAYER_ZSTD,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Images under the same names: one plan for each platform, the one that the names shall mean last.

    `made` tells that the archive has no manifest, and that the plan's was made for it.
    """

    names: tuple[Reference, ...]
    plans: tuple[Plan, ...]
    made: bool = False


class ArchiveSource:
    """An ImageSource over an archive: blobs by their digest."""

    def __init__(self, contents: Contents, members: Mapping[Digest, Member] | None = None) -> None:
        self._contents = contents
        self._members = dict(members or {})

    def __contains__(self, digest: Digest) -> bool:
        return self._find(digest) is not None

    def add(self, digest: Digest, member: Member) -> None:
        """Let a blob be found in a member that has another name."""
        self._members[digest] = member

    def manifest(self, wanted: Descriptor) -> tuple[Descriptor, bytes]:
        """A document's bytes, checked against its digest. Raises BlobNotFound, CorruptBlob, BadArchive."""
        member = self._member(wanted.digest)
        raw = self._contents.read(member.name, documents.MAXIMUM_BYTES)
        if len(raw) != wanted.size:
            raise CorruptBlob(
                f"blob {wanted.digest}: {len(raw)} bytes in the archive instead of the {wanted.size} promised"
            )
        if Digest.of(raw, wanted.digest.algorithm) != wanted.digest:
            raise CorruptBlob(f"blob {wanted.digest}: does not match its digest in the archive")
        return wanted, raw

    def open(self, blob: Descriptor, *, offset: int = 0) -> MemberStream:
        """A blob's bytes. Raises BlobNotFound, CorruptBlob when it has another size than promised."""
        member = self._member(blob.digest)
        if member.size != blob.size:
            raise CorruptBlob(
                f"blob {blob.digest}: {member.size} bytes in the archive instead of the {blob.size} promised"
            )
        return self._contents.open(member, offset)

    def _find(self, digest: Digest) -> Member | None:
        known = self._members.get(digest)
        return known or self._contents.find(f"blobs/{digest.algorithm}/{digest.hex}")

    def _member(self, digest: Digest) -> Member:
        member = self._find(digest)
        if member is None:
            raise BlobNotFound(f"content digest {digest}: not found")
        return member


def parse_name(text: object) -> Reference:
    """A name with a tag, as an archive gives it. Raises BadArchive in Docker's words, InvalidReference."""
    if isinstance(text, str) and "\n" not in text:
        reference = Reference.parse(text)
        if reference.tag is not None and reference.digest is None:
            if reference.familiar_name == "sha256":  # nobody could tell it from an ID
                raise BadArchive("refusing to create an ambiguous tag using digest algorithm as name")
            return reference
    raise BadArchive(f"invalid tag {dumps(text)}")


def layer_blob(contents: Contents, member: Member, diff_id: Digest | None) -> Descriptor:
    """The descriptor of a layer that has none; a compressed one has to be read for it.

    `diff_id` is what the image config promises, and therefore the digest of a plain one; None when there is
    no promise yet.
    """
    head = bytearray(4)
    contents.open(member).readinto(head)
    kind = sniff(bytes(head))
    digest = diff_id if kind == "none" and diff_id is not None else digest_of(contents.open(member))
    return Descriptor(media_type=LAYER_TYPES[kind], digest=digest, size=member.size)


def digest_of(stream: MemberStream) -> Digest:
    """The sha256 digest of a stream's bytes."""
    hasher, buffer = hashlib.sha256(), bytearray(_CHUNK)
    while count := stream.readinto(buffer):
        hasher.update(memoryview(buffer)[:count])
    return Digest("sha256", hasher.hexdigest())
