"""The names of `typing`, without the module: that takes as long to load as a short command's own code.

A type checker sees `typing` itself. When a program runs, annotations are text that nobody reads, and what is
left of these names are stand-ins; `NamedTuple` alone makes something.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import AnyStr as AnyStr
    from typing import BinaryIO as BinaryIO
    from typing import Final as Final
    from typing import Generic as Generic
    from typing import Literal as Literal
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TextIO as TextIO
    from typing import TypeAlias as TypeAlias
    from typing import TypeVar as TypeVar
    from typing import cast as cast
else:
    from collections import namedtuple

    class _Name:
        """A name that may stand in an alias: `Mapping[str, Any]`, `Literal["a"] | None`."""

        __slots__ = ()

        def __getitem__(self, _parameters):
            return self

        def __or__(self, _other):
            return self

        __ror__ = __or__

        def __call__(self, *_arguments, **_constraints):
            return self

    class Generic:
        """A base class that may be given parameters."""

        __slots__ = ()

        def __class_getitem__(cls, _parameters):
            return cls

    Protocol = Generic

    class _Fields(type):
        """Makes a class of named fields out of a class body, as `typing.NamedTuple` does."""

        def __new__(cls, name, bases, body):
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.get("__annotations__", {})
            given = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=given, module=body["__module__"])
            made.__annotations__ = dict(fields)
            for key, value in body.items():
                if key not in fields and key not in ("__module__", "__annotations__"):
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Fields):
        """A tuple whose members have names."""

    Any = AnyStr = BinaryIO = Final = IO = Literal = NoReturn = Self = TextIO = TypeAlias = TypeVar = _Name()

    def cast(_type, value):
        """The value, whatever it is."""
        return value
