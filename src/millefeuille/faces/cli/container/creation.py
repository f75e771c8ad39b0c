"""From the flags of `create` and `run` to what Docker's client would ask its daemon for."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation import addresses, networks, pairs, ports, refused, volumes
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.faces.cli.command import Call, Context
from millefeuille.faces.cli.container import creation_flags as flags
from millefeuille.faces.cli.container.creation_host import host_config
from millefeuille.faces.cli.container.variables import lines
from millefeuille.faces.cli.exits import USAGE, Refusal
from millefeuille.faces.cli.image.trust import refuse_trust
from millefeuille.faces.cli.options import Option
from millefeuille.faces.cli.values import nanoseconds
from millefeuille.oci.platform import InvalidPlatform, Platform
from millefeuille.values import dataclass, replace

_PULLS: Final = ("always", "missing", "never", "")
_WINDOWS: Final[tuple[Option[Any], ...]] = (
    flags.CPU_COUNT,
    flags.CPU_PERCENT,
    flags.IO_MAXBANDWIDTH,
    flags.IO_MAXIOPS,
)

_BEYOND: Final[tuple[Option[Any], ...]] = (flags.USE_API_SOCKET, flags.KERNEL_MEMORY, flags.GPUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A container as asked for. `config`, `host_config` and `networking` are the members of Docker's request
    to make one; `platform` is a text, "" for any; `pull` is always, missing or never. `warnings` are lines
    for standard error.
    """

    name: str
    image: str
    config: dict[str, Any]
    host_config: dict[str, Any]
    networking: dict[str, Any]
    platform: str
    pull: str
    quiet: bool
    cidfile: str
    warnings: tuple[str, ...] = ()

    def detached(self) -> Wanted:
        """The same, with nothing joined to it, as `run --detach` asks."""
        apart = dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"), False)
        return replace(self, config={**self.config, **apart})


def wanted(context: Context, call: Call, pull: Option[str]) -> Wanted:
    """What the call asks for, as far as this engine can give it.

    Raises Refusal: with exit code 125 for what Docker's client refuses behind `docker: `, with 1 otherwise;
    and Unsupported for what no container here can have.
    """
    asked = described(context, call, pull)
    refused.check(asked.host_config)
    refused.check_networks(asked.networking)
    for option in _BEYOND:
        if call[option]:
            raise refused.unsupported(f"--{option.name}")
    return asked


def described(context: Context, call: Call, pull: Option[str]) -> Wanted:
    """What the call asks for, whether there is such a thing here or not. Raises Refusal."""
    if call[pull] not in _PULLS:
        raise Refusal(
            f'invalid pull option: \'{call[pull]}\': must be one of "always", "missing" or "never"',
            code=USAGE,
        )
    for option in _WINDOWS:
        if call.given(option):
            raise Refusal(
                f'"--{option.name}" is only supported on a Docker daemon running on windows, '
                "but the Docker daemon is running on linux"
            )
    refuse_trust(context, call, flags.TRUST)
    try:
        config, host, networking = _request(context, call)
    except InvalidOption as error:
        raise Refusal(str(error), code=USAGE) from error
    platform = call[flags.PLATFORM] or context.settings.platform
    _check_platform(platform)
    return Wanted(
        name=call[flags.NAME], image=call.arguments[0], config=config, host_config=host,
        networking=networking, platform=platform, pull=call[pull] or "missing", quiet=call[flags.QUIET],
        cidfile=call[flags.CIDFILE],
        warnings=_warnings(call, host),
    )  # fmt: skip


def _warnings(call: Call, host: dict[str, Any]) -> tuple[str, ...]:
    """What is granted, but may surprise: first in the client's words, then in the daemon's."""
    local = [server for server in call[flags.DNS] if addresses.is_loopback(server)]
    found = [f"WARNING: Localhost DNS ({server}) may fail in containers." for server in local]
    if host["NetworkMode"] == "host" and host["PortBindings"]:
        found.append("WARNING: Published ports are discarded when using host network mode")
    if host["OomKillDisable"] and not host["Memory"]:
        found.append(
            "WARNING: OOM killer is disabled for the container, but no memory limit is set, this can result"
            " in the system running out of resources."
        )
    return tuple(found)


def _check_platform(text: str) -> None:
    try:
        if text:
            Platform.parse(text)
    except InvalidPlatform as error:
        raise Refusal(f"error parsing specified platform: {error}") from error


def _request(context: Context, call: Call) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Config, HostConfig and NetworkingConfig. Raises InvalidOption."""
    mac = call[flags.MAC_ADDRESS]
    if mac:
        addresses.check_mac(mac.strip())
    wanted = _texts(call, flags.VOLUME)
    binds, anonymous = volumes.divided(wanted)
    exposed, bindings = ports.published(_texts(call, flags.PUBLISH))
    exposed = ports.with_exposed(exposed, _texts(call, flags.EXPOSE))
    config = _config(context, call, exposed, anonymous)
    attachments = (*call[flags.NET], *call[flags.NETWORK])
    host = host_config(
        call, binds=binds, bindings=bindings, mode=attachments[0].target if attachments else networks.DEFAULT
    )
    further = networks.Further(
        aliases=(*call[flags.NET_ALIAS], *call[flags.NETWORK_ALIAS]), links=call[flags.LINK],
        ipv4=call[flags.IP], ipv6=call[flags.IP6], link_local=call[flags.LINK_LOCAL_IP], mac=mac,
    )  # fmt: skip
    return config, host, {"EndpointsConfig": networks.endpoints(attachments, further)}


def _config(
    context: Context, call: Call, exposed: ports.Exposed, anonymous: dict[str, dict[str, str]]
) -> dict[str, Any]:
    attached = call[flags.ATTACH]
    interactive = call[flags.INTERACTIVE]
    stdin = interactive or "stdin" in attached
    look = pairs.looking_in(context.settings.environment)
    variables = [*lines(call[flags.ENV_FILE], look), *pairs.resolved(_texts(call, flags.ENV), look)]
    labels = [*lines(call[flags.LABEL_FILE]), *call[flags.LABEL]]
    health = _health(call)
    return {
        "Hostname": call[flags.HOSTNAME],
        "Domainname": call[flags.DOMAINNAME],
        "User": call[flags.USER],
        "AttachStdin": stdin,
        "AttachStdout": not attached or "stdout" in attached,
        "AttachStderr": not attached or "stderr" in attached,
        **({"ExposedPorts": exposed} if exposed else {}),
        "Tty": call[flags.TTY],
        "OpenStdin": interactive,
        "StdinOnce": interactive and stdin,
        "Env": variables or None,
        "Cmd": list(call.arguments[1:]) or None,
        **({"Healthcheck": health} if health else {}),
        "Image": call.arguments[0],
        "Volumes": anonymous,
        "WorkingDir": call[flags.WORKDIR],
        "Entrypoint": [call[flags.ENTRYPOINT]] if call.given(flags.ENTRYPOINT) else None,
        "OnBuild": None,
        "Labels": pairs.mapping(labels),
        **({"StopSignal": call[flags.STOP_SIGNAL]} if call[flags.STOP_SIGNAL] else {}),
        **({"StopTimeout": call[flags.STOP_TIMEOUT]} if call.given(flags.STOP_TIMEOUT) else {}),
    }


def _texts(call: Call, option: Option[tuple[str, ...]]) -> tuple[str, ...]:
    return call[option]


def _health(call: Call) -> dict[str, Any]:
    times: dict[str, Option[float]] = {
        "Interval": flags.HEALTH_INTERVAL, "Timeout": flags.HEALTH_TIMEOUT,
        "StartPeriod": flags.HEALTH_START_PERIOD, "StartInterval": flags.HEALTH_START_INTERVAL,
    }  # fmt: skip
    command, retries = call[flags.HEALTH_CMD], call[flags.HEALTH_RETRIES]
    told = bool(command or retries or any(call[option] for option in times.values()))
    if call[flags.NO_HEALTHCHECK]:
        if told:
            raise InvalidOption("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    given = {option.name: call[option] for option in times.values()} | {flags.HEALTH_RETRIES.name: retries}
    for name, value in given.items():
        if value < 0:
            raise InvalidOption(f"--{name} cannot be negative")
    found: dict[str, Any] = {"Test": ["CMD-SHELL", command]} if command else {}
    found |= {name: nanoseconds(call[option]) for name, option in times.items() if call[option]}
    return {**found, "Retries": retries} if retries else found
