"""`name=value` texts: environment variables, labels, settings of the kernel; and files of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from millefeuille.annotations import Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.oci.gotext import quoted

_KERNEL: Final = frozenset(
    f"kernel.{name}"
    for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST: Final = (1 << 16) - 1  # bytes of a line in a file; Docker's reader takes no longer ones
_BLANK: Final = " \t\n\v\f\r\x85\xa0"

Look = Callable[[str], str | None]


def variable(text: str) -> str:
    """An environment variable, with or without a value. Raises InvalidOption."""
    if not text.partition("=")[0]:
        raise InvalidOption(f"invalid environment variable: {text}")
    return text


def label(text: str) -> str:
    """A label, with or without a value. Raises InvalidOption."""
    name = text.partition("=")[0].lstrip(" \t")
    if not name:
        raise InvalidOption(f"invalid label '{text}': empty name")
    if " " in name or "\t" in name:
        raise InvalidOption(f"label '{name}' contains whitespaces")
    return text


def kernel_setting(text: str) -> str:
    """A `--sysctl` that belongs to a namespace. Raises InvalidOption."""
    name, equals, _ = text.partition("=")
    if not equals or not (name in _KERNEL or name.startswith(("net.", "fs.mqueue."))):
        raise InvalidOption(f"sysctl '{text}' is not allowed")
    return text


def resolved(variables: Iterable[str], look: Look) -> list[str]:
    """The variables given as flags, the last value of each; those without one take what `look` knows."""
    found: dict[str, str] = {}
    for text in variables:
        found[text.partition("=")[0]] = _looked_up(text, look) or text
    return list(found.values())


def mapping(texts: Iterable[str]) -> dict[str, str]:
    """The pairs by name, sorted; the last of each counts, without `=` the value is empty."""
    pairs = (text.partition("=") for text in texts)
    return dict(sorted({name: value for name, _, value in pairs}.items()))


def parse_file(content: bytes, look: Look | None = None) -> list[str]:
    """The lines of an env or label file; those without a value take what `look` knows, or are left out.

    Raises InvalidOption, also for a variable that no process can have.
    """
    found: list[str] = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        if len(raw) > _LONGEST:
            raise InvalidOption("bufio.Scanner: token too long")
        line = _line(number, raw.removesuffix(b"\r"))
        if not line or line[0] == "#":
            continue
        name = line.partition("=")[0]
        if not name:
            raise InvalidOption(f"no variable name on line '{line}'")
        if any(blank in name for blank in " \t\n\v\f\r"):
            raise InvalidOption(f"variable '{name}' contains whitespaces")
        text = _looked_up(line, look) if look else line if "=" in line else None
        if look and "\0" in line:
            part = "name" if "\0" in name else "value"
            raise InvalidOption(f"environment variable {part} can't contain null(\\x00): {quoted(line)}")
        if text is not None:
            found.append(text)
    return found


def looking_in(environment: Mapping[str, str]) -> Look:
    """What an environment knows."""
    return environment.get


def _looked_up(text: str, look: Look) -> str | None:
    if "=" in text:
        return text
    value = look(text)
    return None if value is None else f"{text}={value}"


def _line(number: int, raw: bytes) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError:
        shown = " ".join(map(str, raw))
        raise InvalidOption(f"invalid utf8 bytes at line {number}: [{shown}]") from None
    return (raw.removeprefix(_BOM) if number == 1 else raw).decode().lstrip(_BLANK)
