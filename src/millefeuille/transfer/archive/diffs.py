"""The diff ID of a layer that nobody has promised one for: its bytes, inflated and hashed."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.later import hashlib
from millefeuille.layers import compression
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.contents import Contents, Member

_CHUNK: Final = 256 << 10  # bytes


def plain_digest(contents: Contents, member: Member) -> Digest:
    """The sha256 digest of a layer's tar. Raises BrokenStream, Bomb, ShortArchive."""
    hasher = hashlib.sha256()
    stream, buffer = contents.open(member), bytearray(_CHUNK)
    inflater: compression.Inflater | None = None
    while count := stream.readinto(buffer):
        chunk = bytes(memoryview(buffer)[:count])
        inflater = inflater or compression.inflater(compression.sniff(chunk))
        for piece in inflater.feed(chunk):
            hasher.update(piece)
    if inflater is not None:
        inflater.finish()
    return Digest("sha256", hasher.hexdigest())
