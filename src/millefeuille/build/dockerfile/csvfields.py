"""One record of comma-separated values, by the rules of Go's encoding/csv."""

from __future__ import annotations

from millefeuille.build.dockerfile.complaint import Complaint


def csv_fields(text: str) -> list[str]:
    """The fields of the first record of `text`.

    Raises Complaint where quotes stand wrong, or nothing is there.
    """
    if not text.strip("\r\n"):
        raise Complaint("EOF")
    fields = []
    position = 0
    while True:
        field, position = _quoted(text, position) if text.startswith('"', position) else _bare(text, position)
        fields.append(field)
        if not text.startswith(",", position):
            return fields
        position += 1


def _bare(text: str, start: int) -> tuple[str, int]:
    end = text.find(",", start)
    end = len(text) if end < 0 else end
    newline = text.find("\n", start, end)
    end = end if newline < 0 else newline
    field = text[start:end]
    if '"' in field:
        column = start + field.index('"') + 1
        raise Complaint(f'parse error on line 1, column {column}: bare " in non-quoted field')
    return field.rstrip("\r") if newline >= 0 else field, end


def _quoted(text: str, start: int) -> tuple[str, int]:
    parts = []
    position = start + 1
    while True:
        end = text.find('"', position)
        if end < 0:
            column = len(text) + 1
            raise Complaint(
                f'parse error on line 1, column {column}: extraneous or missing " in quoted-field'
            )
        parts.append(text[position:end])
        if not text.startswith('"', end + 1):
            break
        parts.append('"')
        position = end + 2
    following = text[end + 1 : end + 2]
    if following and following not in ",\r\n":
        raise Complaint(f'parse error on line 1, column {end + 1}: extraneous or missing " in quoted-field')
    return "".join(parts), end + 1
