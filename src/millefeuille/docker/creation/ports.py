"""`--publish` and `--expose`: which ports of the container are open, and where on the host.

Source: docker/go-connections v0.5, nat.
"""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.annotations import Final
from millefeuille.docker.creation.addresses import parse_ip
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.docker.creation.quantities import unsigned

_PROTOCOLS: Final = ("tcp", "udp", "sctp")

Exposed = dict[str, dict[str, str]]
Bindings = dict[str, list[dict[str, str]]]


def published(options: Iterable[str]) -> tuple[Exposed, Bindings]:
    """The members ExposedPorts and PortBindings for values of `--publish`. Raises InvalidOption."""
    exposed: Exposed = {}
    bindings: Bindings = {}
    for option in options:
        for port, binding in _spec(_standard(option)):
            exposed[port] = {}
            bindings.setdefault(port, []).append(binding)
    return _sorted(exposed), dict(sorted(bindings.items()))


def with_exposed(exposed: Exposed, options: Iterable[str]) -> Exposed:
    """ExposedPorts with the values of `--expose` added. Raises InvalidOption."""
    found = dict(exposed)
    for option in options:
        if ":" in option:
            raise InvalidOption(f"invalid port format for --expose: {option}")
        protocol, port = split_protocol(option)
        try:
            start, end = port_range(port)
        except InvalidOption as error:
            raise InvalidOption(f"invalid range format for --expose: {option}, error: {error}") from None
        for number in range(start, end + 1):
            found.setdefault(f"{number}/{protocol}", {})
    return _sorted(found)


def split_protocol(text: str) -> tuple[str, str]:
    """(protocol, port) of `80/udp`; tcp when it is not said."""
    port, _, rest = text.partition("/")
    if not port:
        return "", ""
    return rest.partition("/")[0] or "tcp", port


def port_range(text: str) -> tuple[int, int]:
    """First and last of `80` or `80-90`. Raises InvalidOption."""
    if not text:
        raise InvalidOption("empty string specified for ports")
    if "-" not in text:
        port = unsigned(text, 16, 10)
        return port, port
    first, last = text.split("-")[:2]
    start, end = unsigned(first, 16, 10), unsigned(last, 16, 10)
    if end < start:
        raise InvalidOption(f"invalid range specified for port: {text}")
    return start, end


def _sorted(exposed: Exposed) -> Exposed:
    return dict(sorted(exposed.items()))


def _standard(option: str) -> str:
    """The short form of `target=80,published=8080,protocol=tcp`."""
    if "=" not in option:
        return option
    fields = {"protocol": "tcp"}
    for field in option.split(","):
        name, equals, value = field.partition("=")
        if not equals or not name:
            raise InvalidOption(f"invalid publish opts format (should be name=value but got '{field}')")
        fields[name] = value
    return f"{fields.get('published', '')}:{fields.get('target', '')}/{fields['protocol']}"


def _spec(text: str) -> Iterable[tuple[str, dict[str, str]]]:
    rest, _, container = text.rpartition(":")
    address, _, host = rest.rpartition(":")
    address = _address(address)
    protocol, container = split_protocol(container)
    if not container:
        raise InvalidOption(f"no port specified: {text}<empty>")
    start, end = _named("containerPort", container)
    host_start, host_end = _named("hostPort", host) if host else (0, 0)
    if host and end - start != host_end - host_start and end != start:
        raise InvalidOption(f"invalid ranges specified for container and host Ports: {container} and {host}")
    if protocol.lower() not in _PROTOCOLS:
        raise InvalidOption(f"invalid proto: {protocol}")
    for offset in range(end - start + 1):
        chosen = str(host_start + offset) if host else ""
        if start == end and host_start != host_end:
            chosen += f"-{host_end}"
        yield f"{start + offset}/{protocol.lower()}", {"HostIp": address, "HostPort": chosen}


def _address(text: str) -> str:
    if text.startswith("["):
        if not text.endswith("]"):
            raise InvalidOption(f"invalid IP address {text}: address {text}:: missing ']' in address")
        text = text[1:-1]
    if text and parse_ip(text) is None:
        raise InvalidOption(f"invalid IP address: {text}")
    return text


def _named(name: str, text: str) -> tuple[int, int]:
    try:
        return port_range(text)
    except InvalidOption:
        raise InvalidOption(f"invalid {name}: {text}") from None
