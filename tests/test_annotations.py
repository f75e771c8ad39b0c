"""Stand-ins for what `typing` has: they behave where a program meets them."""

from __future__ import annotations

import subprocess
import sys
import typing
from collections.abc import Mapping

import pytest

from millefeuille import annotations
from millefeuille.annotations import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, cast

T = TypeVar("T")
Choice = Literal["a", "b"] | None
Table = Mapping[str, Any]


class Ours(NamedTuple):
    """A pair."""

    one: int
    two: str = "x"

    def both(self) -> str:
        """The two of them."""
        return f"{self.one}{self.two}"


class Theirs(typing.NamedTuple):
    """A pair."""

    one: int
    two: str = "x"

    def both(self) -> str:
        """The two of them."""
        return f"{self.one}{self.two}"


class Box(Generic[T]):
    """Holds one thing."""

    def __init__(self, thing: T) -> None:
        self.thing = thing


class Opener(Protocol):
    """Opens."""

    def open(self) -> int:
        """A number."""


class Door:
    """Opens."""

    def open(self) -> int:
        """A number."""
        return 1


def test_a_named_tuple_is_one() -> None:
    for kind in (Ours, Theirs):
        assert kind(1) == (1, "x")
        assert kind(2, two="y").both() == "2y"
        assert kind(1)._replace(two="z") == (1, "z")
        assert kind._fields == ("one", "two")
        assert kind.__doc__ == "A pair."
        assert kind.__module__ == __name__
        assert repr(kind(1)) == f"{kind.__name__}(one=1, two='x')"
        with pytest.raises(TypeError):
            kind()  # type: ignore[call-arg]  # which is what is tested
    assert Ours.__annotations__ == Theirs.__annotations__ or set(Ours.__annotations__) == {"one", "two"}


def test_generic_classes_and_protocols() -> None:
    assert Box[int](3).thing == 3
    opener: Opener = Door()
    assert opener.open() == 1
    assert cast(int, "text") == "text"


def test_typing_is_not_loaded() -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}; import millefeuille.annotations\n"
        "print('typing' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_every_name_is_one_of_typing() -> None:
    names = {name for name in vars(annotations) if not name.startswith("_")}
    assert names - {"annotations", "namedtuple", "TYPE_CHECKING"} <= set(vars(typing))
