"""Values are what the standard library's dataclasses are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from millefeuille.values import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Frozen."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list, compare=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Ordered, by position."""

    first: int
    second: str = "b"

    def __post_init__(self) -> None:
        if self.first < 0:
            raise ValueError("negative")


@dataclass(frozen=True, slots=True)
class Labelled:
    """With a field that has no hash."""

    name: str
    labels: dict[str, str] = field(hash=False)


@dataclass(slots=True)
class Counter:
    """Not frozen."""

    count: int = 0


@dataclass(kw_only=True)
class Base:
    """With a dictionary."""

    name: str
    parts: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Derived(Base):
    """Inherits fields."""

    extra: int = 5


@dataclass(slots=True, eq=False)
class Thing:
    """Equal to itself only."""

    size: int


def test_a_value_shows_its_fields_but_not_its_secrets() -> None:
    assert repr(Point(x=1, secret="s")) == "Point(x=1, y=2, tags=[])"


def test_values_with_equal_fields_are_equal_and_hash_alike() -> None:
    assert Point(x=1, tags=["a"]) == Point(x=1)
    assert hash(Point(x=1, tags=["a"])) == hash(Point(x=1))
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Pair(1)
    assert hash(Pair(1)) == hash((1, "b"))


def test_what_has_no_hash_can_be_left_out_of_a_values() -> None:
    assert hash(Labelled("a", {"b": "c"})) == hash(Labelled("a", {}))
    assert Labelled("a", {"b": "c"}) != Labelled("a", {})
    assert [one.hash for one in dataclasses.fields(Labelled)] == [None, False]  # type: ignore[arg-type]


def test_a_frozen_value_is_not_changed() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        point.z = 2  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="cannot delete field 'x'"):
        del point.x  # type: ignore[misc]
    assert not hasattr(point, "__dict__")


def test_defaults_that_are_made_are_not_shared() -> None:
    assert Point(x=1).tags is not Point(x=1).tags
    assert Base(name="a").parts is not Base(name="a").parts


def test_order_is_that_of_the_fields() -> None:
    assert sorted([Pair(2), Pair(1, "z"), Pair(1)]) == [Pair(1), Pair(1, "z"), Pair(2)]
    assert Pair.__match_args__ == ("first", "second")


def test_a_value_may_check_itself() -> None:
    with pytest.raises(ValueError, match="negative"):
        Pair(-1)


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)


def test_fields_are_inherited() -> None:
    assert repr(Derived(name="a")) == "Derived(name='a', parts={}, extra=5)"


def test_without_equality_each_is_its_own() -> None:
    one = Thing(1)
    assert one != Thing(1)
    assert one in {one}


@pytest.mark.parametrize("wrong", [lambda: Point(), lambda: Point(x=1, z=2), lambda: Pair()])  # type: ignore[call-arg]
def test_wrong_arguments_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        wrong()


def test_fields_that_cannot_be_are_refused() -> None:
    shared: Any = {"__annotations__": {"a": "list"}, "a": []}
    late: Any = {"__annotations__": {"a": "int", "b": "int"}, "a": 1}
    for members in (shared, late):
        with pytest.raises(TypeError):
            dataclass(type("Wrong", (), members))


def test_replaced_and_copied_values_are_values() -> None:
    assert replace(Point(x=1), y=3) == Point(x=1, y=3)
    with pytest.raises(TypeError):
        replace(Point(x=1), z=3)
    assert copy.copy(Pair(1)) == Pair(1) == pickle.loads(pickle.dumps(Pair(1)))


def test_a_value_is_told_as_a_dictionary_with_the_values_in_it() -> None:
    assert asdict(Base(name="a", parts={"p": 1})) == {"name": "a", "parts": {"p": 1}}
    whole: Any = Derived(name="d", extra=[Pair(1), (Counter(2),)])  # type: ignore[arg-type]
    assert asdict(whole)["extra"] == [{"first": 1, "second": "b"}, ({"count": 2},)]


def test_the_standard_library_takes_values_for_its_own() -> None:
    assert dataclasses.is_dataclass(Point)
    assert [one.name for one in dataclasses.fields(Point)] == ["x", "y", "tags", "secret"]
    assert dataclasses.replace(Point(x=1), y=3) == Point(x=1, y=3)
    assert dataclasses.asdict(Pair(1)) == {"first": 1, "second": "b"}


def test_a_standard_dataclass_may_inherit_from_a_value() -> None:
    @dataclasses.dataclass(frozen=True)
    class Triple(Pair):
        third: int = 3

    assert Triple(1) == Triple(1, "b", 3)


def test_dataclasses_of_others_are_replaced_and_told_too() -> None:
    @dataclasses.dataclass(frozen=True)
    class Other:
        pair: Pair
        number: int = 1

    assert replace(Other(Pair(1)), number=2) == Other(Pair(1), 2)
    assert asdict(Other(Pair(1))) == {"pair": {"first": 1, "second": "b"}, "number": 1}


def test_a_value_does_not_inherit_from_others() -> None:
    @dataclasses.dataclass(frozen=True)
    class Other:
        number: int = 1

    with pytest.raises(TypeError, match="inherits from values"):
        dataclass(frozen=True)(type("Wrong", (Other,), {"__annotations__": {"a": "int"}}))


def test_a_dictionary_of_fields_needs_no_standard_dataclass() -> None:
    program = (
        "import sys\nfrom millefeuille.values import asdict, dataclass\n"
        "@dataclass(frozen=True)\nclass One:\n    a: int\n"
        "print(asdict(One(a=1)), 'dataclasses' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "{'a': 1} False\n"
