"""`mille version`."""

from __future__ import annotations

import os
import platform

import millefeuille
from millefeuille.annotations import Final
from millefeuille.docker.template import Template
from millefeuille.docker.template.error import TemplateExecutionError, TemplateSyntaxError
from millefeuille.docker.template.values import Absent, Struct, TypedList, TypedMap
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import TEMPLATE, Refusal
from millefeuille.faces.cli.options import FORMAT_HELP, string
from millefeuille.oci.platform import Platform

API_VERSION: Final = "1.50"  # the Engine API whose shapes we speak
OLDEST_API_VERSION: Final = "1.24"

FORMAT = string("format", FORMAT_HELP, short="f")

_JSON_NAMES: Final = {"APIVersion": "ApiVersion"}


def run(context: Context, call: Call) -> int:
    """Print the versions, or what a template picks of them."""
    template = call[FORMAT]
    found = Struct(type_name="system.versionInfo", fields={"Client": client(), "Server": server()})
    if template:
        context.terminal.line(_rendered("{{json .}}" if template == "json" else template, found))
    else:
        context.terminal.line(_text(client(), server()))
    return 0


def client() -> Struct:
    """What Docker's `.Client` holds, and Python's version beside Go's, which there is none of."""
    machine = Platform.parse(platform.machine())
    fields = {
        "Platform": Absent("system.platformInfo", frozenset(("Name",))),
        "Version": millefeuille.__version__,
        "APIVersion": API_VERSION,
        "DefaultAPIVersion": API_VERSION,
        "GitCommit": "",
        "GoVersion": "",
        "PythonVersion": platform.python_version(),
        "Os": machine.os,
        "Arch": machine.architecture,
        "BuildTime": "",
        "Context": "default",
    }
    return Struct(
        type_name="system.clientVersion", fields=fields, json_names=_JSON_NAMES,
        omit_empty=frozenset(("Platform", "BuildTime")),
    )  # fmt: skip


def server() -> Struct:
    """What Docker's `.Server` holds; it is this same program, for there is no daemon."""
    ours = client().fields
    shared = {name: ours[name] for name in ("GitCommit", "GoVersion", "PythonVersion", "Os", "Arch")}
    kernel = os.uname().release
    details = {
        "ApiVersion": API_VERSION,
        "Experimental": "false",
        "KernelVersion": kernel,
        "MinAPIVersion": OLDEST_API_VERSION,
        **shared,
    }
    engine = _component("Engine", ours["Version"], details)
    fields = {
        "Platform": Struct(type_name="struct { Name string }", fields={"Name": "millefeuille"}),
        "Components": TypedList([engine], "types.ComponentVersion"),
        "Version": ours["Version"],
        "APIVersion": API_VERSION,
        "MinAPIVersion": OLDEST_API_VERSION,
        **shared,
        "KernelVersion": kernel,
        "Experimental": False,
        "BuildTime": "",
    }
    return Struct(
        type_name="system.serverVersion", fields=fields, json_names=_JSON_NAMES, pointer=True,
        omit_empty=frozenset(("Experimental", "BuildTime")),
    )  # fmt: skip


def _component(name: str, version: object, details: dict[str, object]) -> Struct:
    fields = {"Name": name, "Version": version, "Details": TypedMap(dict(sorted(details.items())))}
    return Struct(type_name="types.ComponentVersion", fields=fields)


def _rendered(template: str, data: Struct) -> str:
    try:
        return Template.parse(template).execute(data)
    except TemplateSyntaxError as error:
        raise Refusal(f"template parsing error: {_named(error)}", code=TEMPLATE) from error
    except TemplateExecutionError as error:
        raise Refusal(_named(error)) from error


def _named(error: Exception) -> str:
    # Docker calls this one template "version"; all others have no name.
    return (
        str(error)
        .replace("template: :", "template: version:", 1)
        .replace('executing ""', 'executing "version"')
    )


def _text(client: Struct, server: Struct) -> str:
    ours = client.fields
    version = ("Version:", ours["Version"])
    python = ("Python version:", ours["PythonVersion"])
    machine = ("OS/Arch:", f"{ours['Os']}/{ours['Arch']}")
    supported = f"{API_VERSION} (minimum version {OLDEST_API_VERSION})"
    outer = (version, ("API version:", API_VERSION), python, machine, ("Context:", ours["Context"]))
    kernel = ("Kernel version:", server.fields["KernelVersion"])
    inner = (version, ("API version:", supported), python, machine, kernel)
    lines = ["Client:", *(f" {name:18} {value}" for name, value in outer), ""]
    lines += ["Server: millefeuille", " Engine:"]
    return "\n".join([*lines, *(f"  {name:17} {value}" for name, value in inner)])


COMMAND = Command(usage="[OPTIONS]", arguments=exactly(0), options=(FORMAT,), run=run)
