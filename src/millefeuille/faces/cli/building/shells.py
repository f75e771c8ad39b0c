"""A shell in the file system of a RUN that failed."""

from __future__ import annotations

from millefeuille.build.running import kept
from millefeuille.build.running.shell import SHELL, open_shell
from millefeuille.engine.running import run_host
from millefeuille.faces.cli.command import Context
from millefeuille.runtime.runtime import Stdio
from millefeuille.store.store import Store


def opened(context: Context, store: Store, id: str, arguments: tuple[str, ...] = ()) -> int:
    """Run a shell, or `arguments`, in the kept root that `id` means; its exit code. What it changes stays.

    Raises NoSuchRoot, RootInUse, and what starting it raises.
    """
    host = run_host(context.settings, store)
    root = kept.find(host, id)
    context.terminal.flush()
    stdio = Stdio(stdin=0, stdout=1, stderr=2)
    terminal = context.terminal.input_interactive and context.terminal.interactive
    return open_shell(host, root, arguments or SHELL, stdio=stdio, terminal=terminal)
