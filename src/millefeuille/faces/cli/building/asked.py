"""What the flags of `mille build` ask for, as a Request and names."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.csvfields import csv_fields
from millefeuille.build.epoch import NAME as EPOCH
from millefeuille.build.request import Request, SecretSource
from millefeuille.docker.creation.addresses import extra_host
from millefeuille.docker.creation.pairs import looking_in
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.building import flags
from millefeuille.faces.cli.command import Call, Context
from millefeuille.faces.cli.epoch import read_epoch
from millefeuille.faces.cli.exits import Refusal
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.names import check_name

_SECRET: Final = 500 << 10  # bytes of a secret, as BuildKit has it


def request(context: Context, call: Call, *, keep_failed: bool) -> Request:
    """What to build. Raises Refusal."""
    environment = context.settings.environment
    arguments = _arguments(call, environment)
    with exits.refusing():
        hosts = tuple(_host(text) for text in call[flags.ADD_HOST])
    network = call[flags.NETWORK]
    if network not in ("default", "none", "host"):
        raise Refusal(f'network mode "{network}" not supported by the builder: use default, none or host')
    ulimits = call[flags.ULIMIT]
    agents, keys = _agents(call, environment)
    filtered = frozenset(name.lower() for name in call[flags.NO_CACHE_FILTER])
    return Request(
        target=call[flags.TARGET],
        arguments=arguments,
        epoch=_epoch(call, arguments),
        no_cache=frozenset() if call[flags.NO_CACHE] else (filtered or None),
        network=network,
        hosts=hosts,
        shm_size=call[flags.SHM_SIZE] or 0,
        ulimits=ulimits,
        resources=_limits(call),
        secrets=dict(_secret(text, environment) for text in call[flags.SECRET]),
        agents=agents,
        keys=keys,
        explain=call[flags.EXPLAIN] or call[flags.DRY_RUN],
        keep_failed=keep_failed,
    )


def _limits(call: Call) -> dict[str, Any]:
    return {name: call[flag] for flag, name in flags.LIMITS if call.given(flag)}


def platforms(context: Context, call: Call) -> tuple[Platform, ...]:
    """The platforms to build for; none for this machine's. Raises Refusal."""
    texts: tuple[str, ...] = call[flags.PLATFORM]
    if not texts and context.settings.platform:
        texts = (context.settings.platform,)
    with exits.refusing():
        return tuple(dict.fromkeys(map(Platform.parse, texts)))


def names(call: Call) -> tuple[Reference, ...]:
    """The names of the image. Raises Refusal."""
    with exits.refusing():
        found = tuple(Reference.parse(text).tagged() for text in call[flags.TAG])
        for one in found:
            check_name(one)
    return found


def _arguments(call: Call, environment: Mapping[str, str]) -> dict[str, str]:
    """Build arguments; a name alone has the value that the environment gives it, if any.

    The environment's SOURCE_DATE_EPOCH is one, as of Docker's client, unless --timestamp says another time.
    """
    look, found = looking_in(environment), {}
    if not call.given(flags.TIMESTAMP) and (epoch := environment.get(EPOCH)):
        found[EPOCH] = epoch
    for text in call[flags.BUILD_ARG]:
        name, given, value = text.partition("=")
        if given:
            found[name] = value
        elif (known := look(name)) is not None:
            found[name] = known
    return found


def _host(text: str) -> tuple[str, str]:
    name, _, address = extra_host(text).partition(":")
    return name, address


def _epoch(call: Call, arguments: Mapping[str, str]) -> int | None:
    if call.given(flags.TIMESTAMP):
        return read_epoch(str(call[flags.TIMESTAMP]), "--timestamp")
    return read_epoch(arguments.get(EPOCH, ""))


def _fields(text: str, what: str) -> dict[str, str]:
    found = {}
    try:
        fields = csv_fields(text)
    except Complaint as error:
        raise Refusal(f"invalid {what} '{text}': {error}") from None
    for field in fields:
        key, given, value = field.partition("=")
        if not given:
            raise Refusal(f"invalid {what} '{text}': field '{field}' must be a key=value pair")
        found[key.lower()] = value
    return found


def _secret(text: str, environment: Mapping[str, str]) -> tuple[str, SecretSource]:
    fields = _fields(text, "secret")
    unknown = {*fields} - {"id", "src", "source", "env", "type"}
    if unknown:
        raise Refusal(f"invalid secret '{text}': unexpected key '{min(unknown)}'")
    id, kind = fields.get("id", ""), fields.get("type", "")
    if not id:
        raise Refusal(f"invalid secret '{text}': id is missing")
    if kind not in ("", "file", "env"):
        raise Refusal(f"invalid secret '{text}': unsupported type '{kind}'")
    path, variable = fields.get("src") or fields.get("source", ""), fields.get("env", "")
    if kind == "env" and path and not variable:
        path, variable = "", path
    if not path and not variable:
        # As buildx does: the variable of that name, else the file.
        path, variable = ("", id) if kind != "file" and id in environment else (id, "")
    if variable:
        return id, SecretSource(variable=variable, value=environment.get(variable, ""))
    return id, _file(path)


def _file(path: str) -> SecretSource:
    """A secret's file. What can be read only once, as `<(command)`, is read here: there may be many RUNs."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Refusal(f"failed to read secret {path}: is a directory")
        if stat.S_ISREG(mode):
            return SecretSource(path=os.path.abspath(path))
        with open(path, "rb") as file:
            data = file.read(_SECRET + 1)
    except OSError as error:
        raise Refusal(f"failed to stat {path}: {(error.strerror or str(error)).lower()}") from None
    if len(data) > _SECRET:
        raise Refusal(f"failed to read secret {path}: more than 500 kB")
    return SecretSource(path=path, data=data)


def _agents(call: Call, environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Sockets of agents and files of keys, each by ID."""
    sockets: dict[str, str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for text in call[flags.SSH]:
        id, _, value = text.partition("=")
        value = value or environment.get("SSH_AUTH_SOCK", "")
        if not value:
            raise Refusal(f"invalid empty ssh agent socket for '{id}': make sure SSH_AUTH_SOCK is set")
        paths = value.split(",")
        if not any(_is_socket(text, path) for path in paths):
            keys[id] = tuple(map(os.path.abspath, paths))
        elif len(paths) > 1:
            raise Refusal(f"could not parse ssh: [{text}]: only a single socket is allowed")
        else:
            sockets[id] = os.path.abspath(value)
    return sockets, keys


def _is_socket(text: str, path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        words = (error.strerror or str(error)).lower()
        raise Refusal(f"could not parse ssh: [{text}]: stat {path}: {words}") from None
    if not stat.S_ISSOCK(mode) and not stat.S_ISREG(mode):
        raise Refusal(f"could not parse ssh: [{text}]: {path} is neither a socket nor a key")
    return stat.S_ISSOCK(mode)
