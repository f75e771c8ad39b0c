"""The process: its words, environment and streams come in here, its exit code goes out."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

import millefeuille
from millefeuille.annotations import TextIO
from millefeuille.faces.cli import dispatch, exits, usage
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.flags import HELP, BadFlag, Flags
from millefeuille.faces.cli.global_options import CONFIG, DEBUG, GLOBAL, ROOT, VERSION
from millefeuille.faces.cli.terminal import ReaderGone, Terminal
from millefeuille.settings import Settings, settle


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; the process's own when None); its exit code."""
    exits.LEFT.clear()
    environment = dict(os.environ)
    terminal = Terminal(*_streams())
    flags = Flags(GLOBAL, interspersed=False)
    try:
        return _guarded(sys.argv[1:] if argv is None else argv, flags, terminal, environment)
    except ReaderGone:
        return exits.READER_GONE
    except KeyboardInterrupt:
        return exits.INTERRUPTED


def _streams() -> tuple[TextIO, TextIO, TextIO]:
    """The standard streams; one that was closed reads and writes nothing, and keeps its number from files."""
    stdin = sys.stdin or open(os.devnull)
    stdout = sys.stdout or open(os.devnull, "w")
    if isinstance(getattr(stdout, "buffer", None), io.RawIOBase):
        # PYTHONUNBUFFERED, as images with Python have it, would make a system call of each line.
        stdout = open(stdout.fileno(), "w", encoding="utf-8", closefd=False)
    return stdin, stdout, sys.stderr or open(os.devnull, "w")


def _guarded(words: Sequence[str], flags: Flags, terminal: Terminal, environment: Mapping[str, str]) -> int:
    try:
        code = _run(words, flags, terminal, environment)
        terminal.flush()
        return code
    except ReaderGone:
        raise
    except Exception as error:
        if flags.given.get(DEBUG):
            sys.excepthook(*sys.exc_info())
        return exits.report(terminal, exits.known(error, _root(flags, environment)))


def _run(words: Sequence[str], flags: Flags, terminal: Terminal, environment: Mapping[str, str]) -> int:
    if "MILLE_FAULT" in environment or "MILLE_FAULT_TRACE" in environment:
        importlib.import_module("millefeuille.testing.file_faults").install(environment)
    try:
        rest = flags.parse(words)
    except BadFlag as error:
        terminal.complain(usage.bad_flag(str(error), usage.PROGRAM, usage.ROOT_USAGE + usage.ROOT_REST))
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
        debug = bool(flags.given.get(DEBUG))
        return Context(settings=_settings(flags, environment), terminal=terminal, path=path, debug=debug)

    return dispatch.dispatch(words, terminal, context, lambda: usage.root_help(GLOBAL, terminal.width))


def _root(flags: Flags, environment: Mapping[str, str]) -> str:
    """The store's, "" where it is told from a current directory that is gone."""
    try:
        return _settings(flags, environment).root
    except OSError:
        return ""


def _settings(flags: Flags, environment: Mapping[str, str]) -> Settings:
    return settle(
        environment,
        uid=os.geteuid(),
        home=os.path.expanduser("~"),
        root=str(flags.given.get(ROOT, "")),
        docker_config=str(flags.given.get(CONFIG, "")),
    )
