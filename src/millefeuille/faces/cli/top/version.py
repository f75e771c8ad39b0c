"""`mille version`."""

from __future__ import annotations

import os
import platform
from typing import Any, Final

import millefeuille
from millefeuille.docker import jsontext
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_HELP, string
from millefeuille.oci.platform import Platform

API_VERSION: Final = "1.50"  # the Engine API whose shapes we speak
OLDEST_API_VERSION: Final = "1.24"

FORMAT = string("format", FORMAT_HELP, short="f")


def run(context: Context, call: Call) -> int:
    """Print the versions, or what a template picks of them."""
    found = {"Client": client(), "Server": server()}
    if call[FORMAT] == "json":
        context.terminal.line(jsontext.marshal(found))
    else:
        context.terminal.line(_text(found))
    return 0


def client() -> dict[str, Any]:
    """What Docker's `.Client` holds; Go's version gives way to Python's."""
    machine = Platform.parse(platform.machine())
    return {
        "Version": millefeuille.__version__,
        "ApiVersion": API_VERSION,
        "DefaultAPIVersion": API_VERSION,
        "PythonVersion": platform.python_version(),
        "Os": machine.os,
        "Arch": machine.architecture,
        "Context": "default",
    }


def server() -> dict[str, Any]:
    """What Docker's `.Server` holds; it is this same program, for there is no daemon."""
    ours = client()
    details = {
        "ApiVersion": API_VERSION,
        "Arch": ours["Arch"],
        "Experimental": "false",
        "KernelVersion": os.uname().release,
        "MinAPIVersion": OLDEST_API_VERSION,
        "Os": ours["Os"],
        "PythonVersion": ours["PythonVersion"],
    }
    return {
        "Platform": {"Name": "millefeuille"},
        "Components": [{"Name": "Engine", "Version": ours["Version"], "Details": details}],
        "Version": ours["Version"],
        "ApiVersion": API_VERSION,
        "MinAPIVersion": OLDEST_API_VERSION,
        "PythonVersion": ours["PythonVersion"],
        "Os": ours["Os"],
        "Arch": ours["Arch"],
        "KernelVersion": details["KernelVersion"],
    }


def _text(found: dict[str, Any]) -> str:
    ours, engine = found["Client"], found["Server"]
    version = ("Version:", ours["Version"])
    interface = ("API version:", API_VERSION)
    supported = ("API version:", f"{API_VERSION} (minimum version {OLDEST_API_VERSION})")
    common = (("Python version:", ours["PythonVersion"]), ("OS/Arch:", f"{ours['Os']}/{ours['Arch']}"))
    outer = (version, interface, *common, ("Context:", ours["Context"]))
    inner = (version, supported, *common, ("Kernel version:", engine["KernelVersion"]))
    lines = ["Client:", *(f" {name:18} {value}" for name, value in outer), ""]
    lines += [f"Server: {engine['Platform']['Name']}", " Engine:"]
    return "\n".join([*lines, *(f"  {name:17} {value}" for name, value in inner)])


COMMAND = Command(usage="[OPTIONS]", arguments=exactly(0), options=(FORMAT,), run=run)
