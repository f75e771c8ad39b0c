"""Later: modules that are loaded when something of them is first used.

A short command is over before the interpreter could load all that it might need. What is seldom used, and
long to load, is imported from here, or where it is the package's own:

    if TYPE_CHECKING:
        from millefeuille.networks import bridges
    else:
        bridges = later.Later("millefeuille.networks.bridges")
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    import bz2 as bz2
    import decimal as decimal
    import fractions as fractions
    import hashlib as hashlib
    import ipaddress as ipaddress
    import json as json
    import lzma as lzma
    import re as re
    import subprocess as subprocess
    import tomllib as tomllib
    from typing import Any
    from urllib import parse as parse

    import blake3 as blake3

    pattern = re.compile


class Later:
    """Stands for a module of this name; what is asked of it, or done to it, is asked of the module."""

    __slots__ = ("_module_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_module_name", name)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module_name), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(importlib.import_module(self._module_name), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(importlib.import_module(self._module_name), name)


if not TYPE_CHECKING:

    class pattern:  # a function to who reads types, `re.compile`
        """A regular expression that is compiled when it is first used. Flags stand in the text, `(?a)`."""

        def __init__(self, text):
            self._text = text

        def __getattr__(self, name):
            found = getattr(importlib.import_module("re").compile(self._text), name)
            setattr(self, name, found)
            return found

    blake3 = Later("blake3")
    bz2 = Later("bz2")
    decimal = Later("decimal")
    fractions = Later("fractions")
    hashlib = Later("hashlib")
    ipaddress = Later("ipaddress")
    json = Later("json")
    lzma = Later("lzma")
    re = Later("re")
    subprocess = Later("subprocess")
    tomllib = Later("tomllib")
    parse = Later("urllib.parse")
