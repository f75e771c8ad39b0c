"""`mille system info`."""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.shapes.info import info_json, info_text
from millefeuille.docker.shapes.info_struct import info_struct
from millefeuille.docker.template import Template
from millefeuille.docker.template.error import TemplateExecutionError, TemplateSyntaxError
from millefeuille.engine.description import describe
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import TEMPLATE, Refusal
from millefeuille.faces.cli.options import FORMAT_HELP, string
from millefeuille.faces.cli.top.version import client

FORMAT = string("format", FORMAT_HELP, short="f")


def run(context: Context, call: Call) -> int:
    """Print what this engine and this host are."""
    template = Template.parse("")
    if call[FORMAT] and call[FORMAT] != "json":
        try:
            template = Template.parse(call[FORMAT])
        except TemplateSyntaxError as error:
            raise Refusal(f"template parsing error: {error}", code=TEMPLATE) from error
    found = info_json(describe(context.settings))
    command = _client(context)
    if not call[FORMAT]:
        context.terminal.write(info_text(found, _lines(command)))
        for warning in found["Warnings"] or ():
            context.terminal.complain(warning)
    elif call[FORMAT] == "json":
        context.terminal.line(marshal(found | {"ClientInfo": command}))
    else:
        context.terminal.line(_executed(context, template, found, command))
    return 0


def _executed(context: Context, template: Template, found: dict[str, Any], command: dict[str, Any]) -> str:
    output: list[str] = []
    try:
        return template.execute(info_struct(found, command), output=output)
    except TemplateExecutionError as error:
        # Docker ends the line that it began.
        context.terminal.line("".join(output))
        raise Refusal(str(error)) from error


def _client(context: Context) -> dict[str, Any]:
    """What Docker's ClientInfo holds."""
    names = ("Version", "DefaultAPIVersion", "GitCommit", "GoVersion", "Os", "Arch")
    ours = client().fields
    facts = {name: ours[name] for name in names}
    return {
        "Debug": context.debug, **facts, "BuildTime": "", "Context": "default", "Plugins": [],
        "Warnings": None,
    }  # fmt: skip


def _lines(command: dict[str, Any]) -> dict[str, str]:
    """The lines about the command, aligned as Docker does."""
    shown = {
        "Version": command["Version"], "Context": command["Context"],
        "Debug Mode": str(command["Debug"]).lower(),
    }  # fmt: skip
    width = max(map(len, shown))
    return {name: " " * (width - len(name)) + value for name, value in shown.items()}


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(FORMAT,),
    run=run,
)
