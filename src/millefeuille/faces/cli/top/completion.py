"""`mille completion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.completion import bash, fish, zsh
from millefeuille.faces.cli.completion.vocabulary import Place, places
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.global_options import GLOBAL

SCRIPTS: Final[Mapping[str, Callable[[Sequence[Place]], str]]] = {
    "bash": bash.script,
    "fish": fish.script,
    "zsh": zsh.script,
}

_DETAILS: Final = """Generate the autocompletion script for a shell: bash, fish or zsh.

To load completions in the current session:

    bash:  source <(mille completion bash)
    fish:  mille completion fish | source
    zsh:   source <(mille completion zsh)

For every session, write it where the shell looks for completions:

    bash:  mille completion bash > /etc/bash_completion.d/mille
    fish:  mille completion fish > ~/.config/fish/completions/mille.fish
    zsh:   mille completion zsh > "${fpath[1]}/_mille\""""


def run(context: Context, call: Call) -> int:
    """Print the script for one shell."""
    shell = call.arguments[0]
    if shell not in SCRIPTS:
        raise Refusal(f'unknown shell "{shell}"', advice=f"Choose one of {', '.join(SCRIPTS)}.")
    context.terminal.write(SCRIPTS[shell](places(GLOBAL)))
    return 0


COMMAND = Command(usage="SHELL", arguments=exactly(1), run=run, details=_DETAILS, complete=tuple(SCRIPTS))
