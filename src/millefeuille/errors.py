"""The kinds of failure.

    MilleError
    ├── NotFound      the object named does not exist
    ├── Conflict      it exists, but its state forbids the act
    ├── Invalid       the input is malformed or against a rule
    ├── Denied        credentials or permissions are missing
    ├── Unavailable   a resource outside does not answer; trying again may help
    ├── Corrupt       bytes do not match the digest or size promised for them
    ├── Unsupported   well-formed, but not something this engine or host can do
    └── Failed        an operation ran and did not succeed

Concrete errors live beside the code that raises them and inherit one kind. Each face has one table from
kind to exit code or status; a test holds that every kind is in it.
"""

from __future__ import annotations


class MilleError(Exception):
    """Any failure this package raises on purpose.

    `str()` is one line: what went wrong, for which object. `advice`, when set, is a second line that
    says what to do.
    """

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        # By what it holds: many are made from other things than their message.
        return _made_again, (type(self), self.args), self.__dict__


def _made_again(kind: type[MilleError], arguments: tuple[object, ...]) -> MilleError:
    return kind.__new__(kind, *arguments)


class NotFound(MilleError):
    """The object named does not exist."""


class Conflict(MilleError):
    """The object exists, but its state forbids the act."""


class Invalid(MilleError):
    """The input is malformed or breaks a rule."""


class Unnamed(Invalid):
    """An object is asked for by an empty name: what a shell makes of a variable that is not set."""


class Denied(MilleError):
    """Credentials or permissions are missing."""


class Unavailable(MilleError):
    """A resource outside this process does not answer; trying again may help."""


class Corrupt(MilleError):
    """Bytes do not match the digest or size that was promised for them."""


class Unsupported(MilleError):
    """Well-formed, but not something this engine or this host can do."""


class Failed(MilleError):
    """An operation ran and did not succeed."""
