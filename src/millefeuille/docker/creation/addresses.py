"""Addresses and names: DNS servers, search domains, further hosts, hardware addresses, links."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.later import ipaddress, re
from millefeuille.oci.gotext import quoted

HOST_GATEWAY: Final = "host-gateway"
_NAME: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])"
_DOMAIN: Final = rf"({_NAME}(?:\.{_NAME})*)\.?\s*"
_PAIR: Final = "[0-9a-fA-F]{2}"
_OCTETS: Final = rf"{_PAIR}([:-])(?:{_PAIR}\1){{4}}(?:(?:{_PAIR}\1){{2}}|(?:{_PAIR}\1){{14}})?{_PAIR}"
_WORD: Final = "[0-9a-fA-F]{4}"
_DOTTED: Final = rf"{_WORD}(?:\.{_WORD}){{2}}(?:\.{_WORD}|(?:\.{_WORD}){{7}})?"
_LOOPBACK: Final = r"^(127\.([0-9]{1,3}\.){2}[0-9]{1,3})|::1(\s|$)"


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, None for what is none."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def ip_address(text: str) -> str:
    """An address in its usual form. Raises InvalidOption."""
    address = parse_ip(text.strip())
    if address is None:
        raise InvalidOption(f"IP address is not correctly formatted: {text}")
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def search_domain(text: str) -> str:
    """A search domain; a dot means none. Raises InvalidOption."""
    name = text.strip()
    if name == ".":
        return name
    found = re.fullmatch(_DOMAIN, name)
    if not re.search("[a-zA-Z]", name) or not found or len(found[1]) >= 255:
        raise InvalidOption(f"{name} is not a valid domain")
    return found[1]


def extra_host(text: str) -> str:
    """`name:address` or `name=address`, as the engine takes it: with a colon. Raises InvalidOption."""
    name, sign, address = text.partition("=")
    if not sign:
        name, sign, address = text.partition(":")
    if not sign or not name or ":" in name:
        raise InvalidOption(f"bad format for add-host: {quoted(text)}")
    if address != HOST_GATEWAY:
        if len(address) > 2 and address[0] == "[" and address[-1] == "]":
            address = address[1:-1]
        if parse_ip(address.strip()) is None:
            raise InvalidOption(f"invalid IP address in add-host: {quoted(address)}")
    return f"{name}:{address}"


def link(text: str) -> str:
    """A `--link`. Raises InvalidOption."""
    if not text:
        raise InvalidOption("empty string specified for links")
    if text.count(":") > 1:
        raise InvalidOption(f"bad format for links: {text}")
    return text


def check_mac(text: str) -> None:
    """Hold that `text` is a hardware address. Raises InvalidOption."""
    if not re.fullmatch(f"{_OCTETS}|{_DOTTED}", text):
        raise InvalidOption(f"{text} is not a valid mac address")


def is_loopback(server: str) -> bool:
    """Whether a DNS server is the host itself, which a container does not reach under that address."""
    return re.search(_LOOPBACK, server) is not None
