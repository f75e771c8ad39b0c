"""From the words of a command line to the command that runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from millefeuille.annotations import Final
from millefeuille.faces.cli import catalogue, exits, usage
from millefeuille.faces.cli.command import Call, Command, Context
from millefeuille.faces.cli.commands import Group, Row
from millefeuille.faces.cli.flags import HELP, BadFlag, Flags
from millefeuille.faces.cli.global_options import GLOBAL
from millefeuille.faces.cli.terminal import ReaderGone, Terminal

_DEPRECATED_HELP: Final = "Flag shorthand -h has been deprecated, use --help"

MakeContext = Callable[[str], Context]
MakeText = Callable[[], str]


def dispatch(words: Sequence[str], terminal: Terminal, context: MakeContext, root_help: MakeText) -> int:
    """Run the command that `words` (at least one) name; its exit code.

    `context` makes the context for a command called by the path it is given.
    """
    if words[0] == "help":
        return _explain_topic(words[1:], terminal, root_help)
    name, rest = resolve(words)
    entry = catalogue.find(name)
    if isinstance(entry, Row):
        return _run(name, entry, rest, terminal, context)
    if entry is not None:
        return _run_group(entry, rest, terminal)
    return _refuse(words, terminal)


def resolve(words: Sequence[str]) -> tuple[str, list[str]]:
    """The full name of the command that `words` lead to, "" when the first is none, and the words left.

    Flags between the words of a name are passed on to the command (cobra's Find).
    """
    name = ""
    rest = list(words)
    while name == "" or isinstance(catalogue.find(name), Group) or catalogue.has_below(name):
        position = _next_name(rest)
        # Behind a command, only the very next word can be one below it: others are its arguments.
        if position is None or (position and isinstance(catalogue.find(name), Row)):
            break
        longer = f"{name} {rest[position]}".lstrip()
        if catalogue.find(longer) is None or not rest[position]:
            break
        name = longer
        del rest[position]
    return name, rest


def _next_name(words: Sequence[str]) -> int | None:
    flags = Flags(())
    skip = False
    for position, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            return None
        elif word.startswith("-") and len(word) > 1:
            skip = flags.takes_next(word)
        else:
            return position
    return None


def _run(name: str, row: Row, words: Sequence[str], terminal: Terminal, context: MakeContext) -> int:
    path = f"{usage.PROGRAM} {catalogue.shown(row, name)}"
    command = catalogue.load(row)
    flags = Flags(command.options, interspersed=command.interspersed)
    try:
        arguments = flags.parse(words)
    except BadFlag as error:
        terminal.complain(usage.bad_flag(str(error), path, usage.use_line(path, command)))
        return exits.USAGE if command.failure == 1 else command.failure
    if flags.deprecated_help:
        terminal.line(_DEPRECATED_HELP)
    if flags.given.get(HELP):
        terminal.line(usage.command_help(path, row, command, terminal.width))
        return 0
    complaint = usage.bad_arguments(path, command, len(arguments))
    if complaint:
        terminal.complain(complaint)
        return command.failure
    return _executed(command, context(path), Call(flags.given, arguments))


def _executed(command: Command, context: Context, call: Call) -> int:
    try:
        code = command.run(context, call)
        if command.failure != 1:
            # An answer that could not be written is none, whatever it was.
            context.terminal.flush()
        return code
    except ReaderGone:
        raise
    except Exception as error:
        if command.failure == 1:
            raise
        if context.debug:
            sys.excepthook(*sys.exc_info())
        exits.report(context.terminal, exits.known(error, context.settings.root))
        return command.failure


def _run_group(group: Group, words: Sequence[str], terminal: Terminal) -> int:
    path = f"{usage.PROGRAM} {group.name}"
    flags = Flags(())
    try:
        arguments = flags.parse(words)
    except BadFlag as error:
        terminal.complain(usage.bad_flag(str(error), path, usage.group_line(path)))
        return exits.USAGE
    if flags.given.get(HELP):
        terminal.line(usage.group_help(group))
        return 0
    if arguments:
        terminal.complain(usage.unknown_command(path, arguments[0]))
        return 1
    terminal.complain(usage.group_help(group))
    return 0


def _refuse(words: Sequence[str], terminal: Terminal) -> int:
    """Say what is wrong with words that begin with no command; a bad flag among them comes first."""
    try:
        Flags(GLOBAL).parse(words)
    except BadFlag as error:
        terminal.complain(usage.bad_flag(str(error), usage.PROGRAM, usage.ROOT_USAGE + usage.ROOT_REST))
        return exits.USAGE
    terminal.complain(usage.unknown_command(usage.PROGRAM, words[0]))
    return 1


def _explain_topic(words: Sequence[str], terminal: Terminal, root_help: MakeText) -> int:
    name, rest = resolve(words)
    entry = catalogue.find(name)
    if rest:
        terminal.complain(f"unknown help topic: {' '.join(rest)}")
        return 1
    if isinstance(entry, Row):
        path = f"{usage.PROGRAM} {catalogue.shown(entry, name)}"
        terminal.line(usage.command_help(path, entry, catalogue.load(entry), terminal.width))
    else:
        terminal.line(usage.group_help(entry) if entry else root_help())
    return 0
