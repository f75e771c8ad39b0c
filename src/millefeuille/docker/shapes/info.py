"""`info`: what the engine and its host are, as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any
from millefeuille.docker.units import bytes_size
from millefeuille.values import dataclass, field

_INDEX_SERVER = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What the engine knows of itself and its host; `memory` is bytes, `time` as in JSON.

    `limits` names what containers can be held to, of Docker's MemoryLimit, SwapLimit, CpuCfsPeriod,
    CpuCfsQuota, CPUShares, CPUSet and PidsLimit. `runtimes` maps names to programs.
    """

    id: str
    version: str
    root: str
    time: str
    name: str
    kernel: str
    operating_system: str
    architecture: str
    cpus: int
    memory: int
    images: int
    driver: str
    os_version: str = ""
    driver_status: tuple[tuple[str, str], ...] = ()
    running: int = 0
    paused: int = 0
    stopped: int = 0
    limits: frozenset[str] = frozenset()
    cgroup_driver: str = "cgroupfs"
    cgroup_version: str = "2"
    runtimes: Mapping[str, str] = field(default_factory=dict)
    default_runtime: str = ""
    security: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    warnings: tuple[str, ...] = ()


_LIMITS = ("MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit")


def info_json(info: EngineInfo) -> dict[str, Any]:
    """The object of `GET /info`, API 1.50, members in Docker's order."""
    return {**_counts(info), **_abilities(info), **_host(info), **_settings(info), **_programs(info)}


def _counts(info: EngineInfo) -> dict[str, Any]:
    return {
        "ID": info.id,
        "Containers": info.running + info.paused + info.stopped,
        "ContainersRunning": info.running,
        "ContainersPaused": info.paused,
        "ContainersStopped": info.stopped,
        "Images": info.images,
        "Driver": info.driver,
        "DriverStatus": [list(pair) for pair in info.driver_status],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "null"],
            "Authorization": None,
            "Log": ["json-file", "none"],
        },
    }


def _abilities(info: EngineInfo) -> dict[str, Any]:
    return {
        **{name: name in info.limits for name in _LIMITS},
        "IPv4Forwarding": False,
        "Debug": False,
        "NFd": 0,
        "OomKillDisable": False,
        "NGoroutines": 0,
        "SystemTime": info.time,
        "LoggingDriver": "json-file",
        "CgroupDriver": info.cgroup_driver,
        "CgroupVersion": info.cgroup_version,
        "NEventsListener": 0,
    }


def _host(info: EngineInfo) -> dict[str, Any]:
    return {
        "KernelVersion": info.kernel,
        "OperatingSystem": info.operating_system,
        "OSVersion": info.os_version,
        "OSType": "linux",
        "Architecture": info.architecture,
        "IndexServerAddress": _INDEX_SERVER,
        "RegistryConfig": _registries(info),
        "NCPU": info.cpus,
        "MemTotal": info.memory,
        "GenericResources": None,
    }


def _settings(info: EngineInfo) -> dict[str, Any]:
    return {
        "DockerRootDir": info.root,
        "HttpProxy": info.http_proxy,
        "HttpsProxy": info.https_proxy,
        "NoProxy": info.no_proxy,
        "Name": info.name,
        "Labels": [],
        "ExperimentalBuild": False,
        "ServerVersion": info.version,
    }


def _programs(info: EngineInfo) -> dict[str, Any]:
    return {
        "Runtimes": {name: {"path": info.runtimes[name]} for name in sorted(info.runtimes)},
        "DefaultRuntime": info.default_runtime,
        "Swarm": _SWARM,
        "LiveRestoreEnabled": False,
        "Isolation": "",
        "InitBinary": "",
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": {"ID": ""},
        "InitCommit": {"ID": ""},
        "SecurityOptions": list(info.security),
        "CDISpecDirs": [],
        "Warnings": list(info.warnings) or None,
    }


_SWARM: Mapping[str, Any] = {
    "NodeID": "",
    "NodeAddr": "",
    "LocalNodeState": "inactive",
    "ControlAvailable": False,
    "Error": "",
    "RemoteManagers": None,
}


def _registries(info: EngineInfo) -> dict[str, Any]:
    """Networks stand apart from hosts among the insecure registries."""
    hosts = sorted({"docker.io", *(name for name in info.insecure if "/" not in name)})
    configs = {
        host: {
            "Mirrors": list(info.mirrors) if host == "docker.io" else [],
            "Name": host,
            "Official": host == "docker.io",
            "Secure": host not in info.insecure,
        }
        for host in hosts
    }
    networks = [name for name in info.insecure if "/" in name]
    return {
        "IndexConfigs": configs,
        "InsecureRegistryCIDRs": networks,
        "Mirrors": list(info.mirrors) or None,
    }


def info_text(info: Mapping[str, Any], client: Mapping[str, str]) -> str:
    """The text of `info`, from its JSON object; `client` are the lines about the command itself.

    Lines that would say nothing here (swarm, containerd, init) are left out.
    """
    lines = ["Client:", *(f" {name}: {value}" for name, value in client.items()), "", "Server:"]
    return "\n".join([*lines, *(f" {line}" for line in _server_lines(info))]) + "\n"


def _server_lines(info: Mapping[str, Any]) -> Iterator[str]:
    yield f"Containers: {info['Containers']}"
    for state in ("Running", "Paused", "Stopped"):
        yield f" {state}: {info[f'Containers{state}']}"
    yield f"Images: {info['Images']}"
    yield f"Server Version: {info['ServerVersion']}"
    yield f"Storage Driver: {info['Driver']}"
    for name, value in info["DriverStatus"]:
        yield f" {name}: {value}"
    yield f"Logging Driver: {info['LoggingDriver']}"
    yield f"Cgroup Driver: {info['CgroupDriver']}"
    yield f"Cgroup Version: {info['CgroupVersion']}"
    yield "Plugins:"
    for kind in ("Volume", "Network", "Log"):
        yield f" {kind}: {' '.join(info['Plugins'][kind])}"
    yield f"Runtimes: {' '.join(info['Runtimes'])}"
    yield f"Default Runtime: {info['DefaultRuntime']}"
    yield from _security_lines(info["SecurityOptions"])
    yield f"Kernel Version: {info['KernelVersion']}"
    yield f"Operating System: {info['OperatingSystem']}"
    yield f"OSType: {info['OSType']}"
    yield f"Architecture: {info['Architecture']}"
    yield f"CPUs: {info['NCPU']}"
    yield f"Total Memory: {bytes_size(info['MemTotal'])}"
    yield f"Name: {info['Name']}"
    yield f"ID: {info['ID']}"
    yield f"Docker Root Dir: {info['DockerRootDir']}"
    yield "Debug Mode: false"
    yield from _network_lines(info)
    yield "Live Restore Enabled: false"


def _security_lines(options: list[str]) -> Iterator[str]:
    """`name=seccomp,profile=builtin` as a name with its properties below it."""
    if options:
        yield "Security Options:"
    for option in options:
        name, *properties = (part.partition("=")[2] or part for part in option.split(","))
        yield f" {name}"
        for text, value in zip(option.split(",")[1:], properties, strict=True):
            yield f"  {text.partition('=')[0].capitalize()}: {value}"


def _network_lines(info: Mapping[str, Any]) -> Iterator[str]:
    for name, title in (("HttpProxy", "HTTP Proxy"), ("HttpsProxy", "HTTPS Proxy"), ("NoProxy", "No Proxy")):
        if info[name]:
            yield f"{title}: {info[name]}"
    yield "Experimental: false"
    registries = info["RegistryConfig"]
    hosts = [host for host, config in registries["IndexConfigs"].items() if not config["Secure"]]
    insecure = hosts + registries["InsecureRegistryCIDRs"]
    for title, values in (("Insecure Registries:", insecure), ("Registry Mirrors:", registries["Mirrors"])):
        if values:
            yield title
            yield from (f" {value}" for value in values)
