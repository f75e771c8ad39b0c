"""The way in: `mille`, and `python -m millefeuille`."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal wraps it, and takes longer to load
import _thread
import gc
import importlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
_INTERRUPTED: Final = 130


def start() -> NoReturn:
    """The command `mille`. Leaves without tearing the interpreter down, a fifth of a short command's time."""
    # Until the command can tell what it leaves undone, an interrupt ends the process without a word.
    is_heard = _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN
    if is_heard:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    # A command makes few cycles; looking for them after every 700 objects costs a tenth of a short one.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    sys.unraisablehook = _again
    main = importlib.import_module("millefeuille.faces.cli.main").main
    try:
        if is_heard:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        code = main()
    except KeyboardInterrupt:  # outside of what main guards
        code = _INTERRUPTED
    os._exit(code)


def _again(lost: sys.UnraisableHookArgs) -> None:
    """Have an interrupt come again that came in a callback of the interpreter, out of which nothing gets."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        _thread.start_new_thread(_thread.interrupt_main, ())
    else:
        sys.__unraisablehook__(lost)


if __name__ == "__main__":
    start()
