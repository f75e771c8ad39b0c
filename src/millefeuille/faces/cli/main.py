"""The process: its words, environment and streams come in here, its exit code goes out."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

import millefeuille
from millefeuille.faces.cli import dispatch, exits, usage
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.flags import HELP, BadFlag, Flags
from millefeuille.faces.cli.options import boolean, string
from millefeuille.faces.cli.terminal import ReaderGone, Terminal
from millefeuille.settings import settle

ROOT: Final = string("root", "Directory of the store (overrides MILLE_ROOT)", complete="directory")
CONFIG: Final = string("config", "Location of Docker's client config files", complete="directory")
DEBUG: Final = boolean("debug", "Enable debug mode: errors show where they arose", short="D")
VERSION: Final = boolean("version", "Print version information and quit", short="v")
GLOBAL: Final = (ROOT, CONFIG, DEBUG, VERSION)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; the process's own when None); its exit code."""
    environment = dict(os.environ)
    if "MILLE_FAULT" in environment or "MILLE_FAULT_TRACE" in environment:
        importlib.import_module("millefeuille.testing.faults").install(environment)
    terminal = Terminal(sys.stdin, sys.stdout, sys.stderr)
    flags = Flags(GLOBAL, interspersed=False)
    try:
        code = _guarded(sys.argv[1:] if argv is None else argv, flags, terminal, environment)
        terminal.flush()
    except ReaderGone:
        _silence()
        return exits.READER_GONE
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    return code


def start() -> NoReturn:
    """The console script. Leaves without tearing the interpreter down, a fifth of a short command's time."""
    code = main()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _guarded(words: Sequence[str], flags: Flags, terminal: Terminal, environment: Mapping[str, str]) -> int:
    try:
        return _run(words, flags, terminal, environment)
    except ReaderGone:
        raise
    except Exception as error:
        if flags.given.get(DEBUG):
            sys.excepthook(*sys.exc_info())
        return exits.report(terminal, exits.known(error))


def _run(words: Sequence[str], flags: Flags, terminal: Terminal, environment: Mapping[str, str]) -> int:
    try:
        rest = flags.parse(words)
    except BadFlag as error:
        terminal.complain(usage.bad_flag(str(error), usage.PROGRAM, f"{usage.ROOT_USAGE} [ARG...]"))
        return exits.USAGE
    asked = bool(flags.given.get(HELP))
    if rest:
        words = (rest[0], "--help", *rest[1:]) if asked else rest
        return _dispatch(words, flags, terminal, environment)
    if flags.deprecated_help:
        terminal.complain("Flag shorthand -h has been deprecated, use --help")
    if flags.given.get(VERSION) and not asked:
        terminal.line(f"mille version {millefeuille.__version__}")
    elif asked:
        terminal.line(usage.root_help(GLOBAL, terminal.width))
    else:
        terminal.complain(usage.root_help(GLOBAL, terminal.width))
    return 0


def _dispatch(words: Sequence[str], flags: Flags, terminal: Terminal, environment: Mapping[str, str]) -> int:
    def context(path: str) -> Context:
        settings = settle(
            environment,
            uid=os.geteuid(),
            home=os.path.expanduser("~"),
            root=str(flags.given.get(ROOT, "")),
            docker_config=str(flags.given.get(CONFIG, "")),
        )
        debug = bool(flags.given.get(DEBUG))
        return Context(settings=settings, terminal=terminal, path=path, debug=debug)

    return dispatch.dispatch(words, terminal, context, lambda: usage.root_help(GLOBAL, terminal.width))


def _silence() -> None:
    """Point standard output at nothing, so that the interpreter's own flush on exit finds no closed pipe."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
