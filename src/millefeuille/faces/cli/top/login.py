"""`mille login`."""

from __future__ import annotations

import getpass

from millefeuille.engine.registries import credentials, registries
from millefeuille.errors import Denied, MilleError
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, string
from millefeuille.faces.cli.top.server import Server
from millefeuille.progress import Silent
from millefeuille.registry.credential import Credential
from millefeuille.registry.credentials import Credentials

PASSWORD = string("password", "Password or Personal Access Token (PAT)", short="p")
PASSWORD_STDIN = boolean("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin")
USERNAME = string("username", "Username", short="u")

_INSECURE = "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
_ANOTHER = "\n Info -> To login with a different account, run 'mille logout' followed by 'mille login'\n\n"
_UNENCRYPTED = """
WARNING! Your credentials are stored unencrypted in '{path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
"""
_TOKEN_HINT = (
    "A Personal Access Token (PAT) can be used instead.\n"
    "To create a PAT, visit https://app.docker.com/settings\n"
)


def run(context: Context, call: Call) -> int:
    """Try credentials at a registry and keep them."""
    password = _given_password(context, call)
    server = Server.parse(call.arguments[0] if call.arguments else "")
    accounts = credentials(context.settings)
    given = call[USERNAME] or password
    held = None if given else _held(accounts, server)
    kept = _with_stored(context, server, held) if held is not None else None
    if kept is None:
        username = held.username if held is not None and not given else ""
        asked = _asked(context, server, call[USERNAME], password, default=username)
        kept = registries(context.settings, Silent()).login(server.registry, asked)
    _store(context, accounts, server, kept)
    context.terminal.line("Login Succeeded")
    return 0


def _given_password(context: Context, call: Call) -> str:
    """The password of the options or of standard input, "" for none. Raises Refusal in Docker's words."""
    if call.given(PASSWORD) and call[PASSWORD_STDIN]:
        raise Refusal("conflicting options: cannot specify both --password and --password-stdin")
    for option in (USERNAME, PASSWORD):
        if call.given(option) and not call[option]:
            raise Refusal(f"{option.name} is empty")
    if call[PASSWORD]:
        context.terminal.complain(_INSECURE)
        return call[PASSWORD]
    if not call[PASSWORD_STDIN]:
        return ""
    if not call[USERNAME]:
        raise Refusal("the --password-stdin option requires --username to be set")
    text = context.terminal.binary_input.read().decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").removesuffix("\r")


def _held(accounts: Credentials, server: Server) -> Credential | None:
    """What is stored; a keychain that does not answer is no reason not to log in, as in Docker."""
    try:
        return accounts.lookup(server.registry)
    except MilleError:
        return None


def _with_stored(context: Context, server: Server, held: Credential) -> Credential | None:
    """What is stored, tried once more; None when it does not open the registry any longer."""
    name = f" [Username: {held.username}]" if held.username else ""
    context.terminal.complain(f"Authenticating with existing credentials...{name}\n{_ANOTHER}")
    try:
        return registries(context.settings, Silent()).login(server.registry, held)
    except Denied:
        context.terminal.complain("Stored credentials invalid or expired")
    except MilleError as error:
        context.terminal.complain(f"Login did not succeed, error: {error}")
    return None


def _asked(context: Context, server: Server, username: str, password: str, *, default: str) -> Credential:
    """A name and a password, asked for as far as they are not given. Raises Refusal."""
    if username and password:
        return Credential(username=username, password=password)
    terminal = context.terminal
    if not terminal.input_interactive:
        raise Refusal("Error: Cannot perform an interactive login from a non TTY device")
    if not username:
        terminal.write(f"Username ({default}): " if default else "Username: ")
        terminal.flush()
        username = terminal.stdin.readline().strip() or default
        if not username:
            raise Refusal("Error: Non-null Username Required")
    if not password:
        if server.is_hub:
            terminal.complain(_TOKEN_HINT)
        terminal.flush()
        password = getpass.getpass("Password: ", stream=terminal.stdout)
        if not password:
            raise Refusal("Error: Password Required")
    return Credential(username=username, password=password)


def _store(context: Context, accounts: Credentials, server: Server, kept: Credential) -> None:
    try:
        if accounts.lookup(server.registry) == kept:
            return
        stored = accounts.store(server.registry, kept)
    except MilleError as error:
        raise Refusal(f"Error saving credentials: {error}", advice=error.advice) from error
    if stored.plain:
        context.terminal.complain(_UNENCRYPTED.format(path=stored.path))


COMMAND = Command(
    usage="[OPTIONS] [SERVER]",
    arguments=at_most(1),
    options=(
        PASSWORD,
        PASSWORD_STDIN,
        USERNAME,
    ),
    run=run,
    details="Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
)
