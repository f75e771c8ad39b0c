"""What is shown of a file: its lines, or its bytes in hexadecimal where it is no text."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final

_MOST: Final = 4 << 20  # bytes that are shown of a file
_ROW: Final = 16
_LETTERS: Final = bytes(byte if 32 <= byte < 127 else ord("·") for byte in range(256))


def file_lines(content: Iterator[bytes]) -> list[str]:
    """The content as lines that do not steer the terminal; the beginning only of a large one."""
    data, cut = bytearray(), False
    for piece in content:
        data += piece
        if len(data) > _MOST:
            del data[_MOST:]
            cut = True
            break
    lines = _hexadecimal(bytes(data)) if b"\0" in data else _text(bytes(data))
    return [*lines, f"(only the first {_MOST >> 20} MiB are shown)"] if cut else lines


def _text(data: bytes) -> list[str]:
    text = data.decode("utf-8", "backslashreplace").expandtabs()
    return [line if line.isprintable() else _without_controls(line) for line in text.splitlines()]


def _without_controls(line: str) -> str:
    return "".join(each if each.isprintable() else "·" for each in line)


def _hexadecimal(data: bytes) -> list[str]:
    lines = []
    for at in range(0, len(data), _ROW):
        row = data[at : at + _ROW]
        letters = row.translate(_LETTERS).decode("latin-1")
        lines.append(f"{at:08x}  {row.hex(' '):<{3 * _ROW}} {letters}")
    return lines
