"""What Go's linker leaves in an executable."""

from __future__ import annotations


def go_header(release: bytes, modules: bytes) -> bytes:
    """The mark, and the texts behind it."""
    mark = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16)
    return mark + counted(release) + counted(b"S" * 16 + modules + b"E" * 16)


def counted(text: bytes) -> bytes:
    """A text after its length."""
    length, varint = len(text), b""
    while length > 0x7F:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return varint + bytes([length]) + text
