"""Help and usage texts in the layout of Docker 28 (cobra's templates, pflag's columns)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.faces.cli.catalogue import listed
from millefeuille.faces.cli.command import Arity, Command
from millefeuille.faces.cli.commands import COMMON, GROUPS, SUMMARY, Group, Row
from millefeuille.faces.cli.options import Option, boolean
from millefeuille.oci.gotext import quoted

PROGRAM: Final = "mille"
_NAMES_COMMAND: Final = (f"{PROGRAM} manifest", f"{PROGRAM} volume")
ROOT_USAGE: Final = f"{PROGRAM} [OPTIONS] COMMAND"
ROOT_REST: Final = " [ARG...]"  # left out in the help, as Docker does

_NARROWEST: Final = 24  # columns below which pflag gives up on a column of text
_SLOP: Final = 5  # columns a last line may run over rather than leave an orphan word

_HELP: Final = boolean("help", "Print usage")


def root_help(options: Sequence[Option[Any]], width: int) -> str:
    """The help of the program itself."""
    commands = dict(listed(""))
    common = [(name, commands.pop(name)) for name in COMMON if name in commands]
    sections = [
        f"Usage:  {ROOT_USAGE}\n\n{SUMMARY}",
        _section("Common Commands", common),
        _section("Management Commands", sorted((group.name, group.summary) for group in GROUPS)),
        _section("Commands", sorted(commands.items())),
        f"Global Options:\n{flag_table(options, width)}",
        f"Run '{PROGRAM} COMMAND --help' for more information on a command.",
    ]
    return "\n\n".join(section for section in sections if section)


def group_help(group: Group) -> str:
    """The help of a command that only holds others."""
    path = f"{PROGRAM} {group.name}"
    commands = _section("Commands", listed(group.name))
    return (
        f"Usage:  {path} COMMAND\n\n{group.summary}\n\n{commands}\n\n"
        f"Run '{path} COMMAND --help' for more information on a command."
    )


def command_help(path: str, row: Row, command: Command, width: int) -> str:
    """The help of one command, called as `path`."""
    sections = [f"Usage:  {use_line(path, command)}", command.details or row.summary]
    if len(row.names) > 1:
        sections.append("Aliases:\n  " + ", ".join(f"{PROGRAM} {name}" for name in row.names))
    # A flag of its own with the letter h makes --help one that is listed.
    taken = any(option.short == "h" for option in command.options)
    options = flag_table((*command.options, *((_HELP,) if taken else ())), width)
    if options:
        sections.append(f"Options:\n{options}")
    return "\n\n".join(sections)


def use_line(path: str, command: Command) -> str:
    """How the command is called, in one line."""
    return f"{path} {command.usage}".rstrip()


def bad_flag(message: str, path: str, usage: str) -> str:
    """What is said about a flag that cannot be read."""
    return f"{message}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information"


def group_line(path: str) -> str:
    """How a group is used, as Docker tells it with an error: two of them name what follows."""
    return f"{path} COMMAND" if path in _NAMES_COMMAND else path


def unknown_command(path: str, name: str) -> str:
    """What is said about a word that is no command of the group called `path`."""
    usage = "" if path == PROGRAM else f"Usage:  {group_line(path)}\n\n"
    return f"{PROGRAM}: unknown command: {path} {name}\n\n{usage}Run '{path} --help' for more information"


def bad_arguments(path: str, command: Command, count: int) -> str:
    """What is said about the wrong number of arguments, "" when it is right."""
    rule = _rule(command.arguments, count)
    if not rule:
        return ""
    # Docker says "See" here for too few arguments and "Run" everywhere else.
    verb = "See" if command.arguments[1] is None else "Run"
    return (
        f"{PROGRAM}: '{path}' {rule}\n\nUsage:  {use_line(path, command)}\n\n"
        f"{verb} '{path} --help' for more information"
    )


def flag_table(options: Iterable[Option[Any]], width: int) -> str:
    """The flags in two columns, by name, wrapped as pflag's FlagUsagesWrapped does for `width` columns."""
    shown = sorted((option for option in options if not option.hidden), key=lambda option: option.name)
    rows = [_flag_row(option) for option in shown]
    left = max((len(flag) for flag, _ in rows), default=0) + 1
    return "\n".join(f"{flag:{left}}  {_wrapped(left + 2, width - 1, text)}" for flag, text in rows)


def _rule(arity: Arity, count: int) -> str:
    least, most = arity
    if least <= count and (most is None or count <= most):
        return ""
    if most == 0:
        return "accepts no arguments"
    if most is None:
        return f"requires at least {least} {_arguments(least)}"
    if least == most:
        return f"requires {least} {_arguments(least)}"
    if least == 0:
        return f"requires at most {most} {_arguments(most)}"
    return f"requires at least {least} and at most {most} {_arguments(most)}"


def _arguments(number: int) -> str:
    return "argument" if number == 1 else "arguments"


def _section(title: str, commands: Iterable[tuple[str, str]]) -> str:
    lines = [f"  {name:11} {summary}" for name, summary in commands]
    return "\n".join((f"{title}:", *lines)) if lines else ""


def _flag_row(option: Option[Any]) -> tuple[str, str]:
    flag = f"  -{option.short}, --{option.name}" if option.short else f"      --{option.name}"
    if option.shape:
        flag += f" {option.shape}"
    text = option.help
    if option.default:
        default = quoted(option.default) if option.shape == "string" else str(option.default).lower()
        text += f" (default {default})"
    return flag, text


def _wrapped(indent: int, width: int, text: str) -> str:
    room = width - indent
    lines: list[str] = []
    if room < _NARROWEST:
        indent = 16
        room = width - indent
        lines.append("")
    break_ = "\n" + " " * indent
    if room < _NARROWEST:
        return text.replace("\n", break_)
    while text:
        line, text = _first_line(room - _SLOP, text)
        lines.append(line.replace("\n", break_))
    return break_.join(lines)


def _first_line(room: int, text: str) -> tuple[str, str]:
    if room + _SLOP > len(text):
        return text, ""
    blank = max(text.rfind(character, 0, room) for character in " \t\n")
    if blank <= 0:
        return text, ""
    line_end = text.rfind("\n", 0, room)
    end = line_end if 0 < line_end < blank else blank
    return text[:end], text[end + 1 :]
