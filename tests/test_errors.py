"""Errors: that each can be copied, and handed over to another process, whatever it is made from."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator

import millefeuille
from millefeuille.errors import MilleError
from millefeuille.layers.refusal import TarError

# A value for each type that errors are made from.
SAMPLES = {
    "str": "words", "str | None": "other words", "int": 3, "bool": True, "bytes": b"path",
    "Sequence[str]": ("sh", "-c"), "Sequence[bytes]": [b"line"], "TarError": TarError("truncated", "ends"),
}  # fmt: skip


def kinds(above: type[MilleError]) -> Iterator[type[MilleError]]:
    """All errors of the package, and those that they inherit from."""
    yield above
    for kind in above.__subclasses__():
        if kind.__module__.startswith("millefeuille."):
            yield from kinds(kind)


def made(kind: type[MilleError]) -> MilleError:
    """One of it, with all that it can be made from, a note and an attribute that came later."""
    given = inspect.signature(kind).parameters.values()
    positional = [SAMPLES[one.annotation] for one in given if one.kind is not one.KEYWORD_ONLY]
    named = {one.name: SAMPLES[one.annotation] for one in given if one.kind is one.KEYWORD_ONLY}
    error: MilleError = kind(*positional, **named)  # type: ignore[arg-type]  # of each what it takes
    error.add_note("a note")
    error.later = 7  # type: ignore[attr-defined]  # as who passes it on may give it
    return error


def test_copies_of_every_error_are_what_it_is() -> None:
    for module in pkgutil.walk_packages(millefeuille.__path__, "millefeuille."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {*kinds(MilleError)}
    assert len(found) > 300
    for error in map(made, found):
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(again) is type(error)
            assert (str(again), again.args) == (str(error), error.args)
            assert vars(again) == vars(error)
