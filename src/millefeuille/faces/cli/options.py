"""Flags as values: what a command accepts, said once and looked up by the option itself.

QUIET = boolean("quiet", "Only show image IDs", short="q")
...
if call[QUIET]:         # bool, and the type checker knows it
"""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Generic, TypeVar
from millefeuille.faces.cli import values
from millefeuille.faces.cli.values import Pairs
from millefeuille.values import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option(Generic[T]):
    """One flag. `shape` is the word its value has in the help, "" for a switch.

    `complete` says what its value names, for shell completion: "", "image", "file" or "directory".
    """

    name: str
    help: str
    short: str
    shape: str
    default: T
    read: Callable[[str, T], T]
    complete: str = ""
    hidden: bool = False

    @property
    def switch(self) -> bool:
        """Whether the flag means true without a value."""
        return self.shape == ""

    @property
    def shown(self) -> str:
        """The flag as errors name it: `-f, --filter`."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


def boolean(
    name: str, help: str, *, short: str = "", default: bool = False, hidden: bool = False
) -> Option[bool]:
    """A switch."""
    return Option(
        name=name, help=help, short=short, shape="", default=default, read=values.read_bool, hidden=hidden
    )


def string(name: str, help: str, *, short: str = "", default: str = "", complete: str = "") -> Option[str]:
    """A text; the last one given wins."""
    return Option(
        name=name, help=help, short=short, shape="string", default=default, read=values.read_string,
        complete=complete,
    )  # fmt: skip


def integer(name: str, help: str, *, short: str = "", default: int = 0) -> Option[int]:
    """A whole number."""
    return Option(name=name, help=help, short=short, shape="int", default=default, read=values.read_int)


def duration(name: str, help: str, *, short: str = "", default: float = 0.0) -> Option[float]:
    """A Go duration such as 1h30m, in seconds."""
    return Option(
        name=name, help=help, short=short, shape="duration", default=default, read=values.read_duration
    )


def repeated(name: str, help: str, *, short: str = "") -> Option[tuple[str, ...]]:
    """A text per flag, all of them kept in order."""
    return Option(name=name, help=help, short=short, shape="list", default=(), read=values.read_list)


def strings(name: str, help: str, *, short: str = "") -> Option[tuple[str, ...]]:
    """Comma-separated texts, from all such flags together."""
    return Option(name=name, help=help, short=short, shape="strings", default=(), read=values.read_strings)


def filters(name: str, help: str, *, short: str = "") -> Option[Pairs]:
    """`name=value` per flag: pairs of (name in lower case, value) in the order given."""
    return Option(name=name, help=help, short=short, shape="filter", default=(), read=values.read_pairs)


_WRITTEN = """'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"""

FORMAT_HELP = f"Format output using a custom template:\n{_WRITTEN}"
FORMAT_TABLE_HELP = f"""Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
{_WRITTEN}"""
