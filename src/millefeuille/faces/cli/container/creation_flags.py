"""The flags of `create` and `run`, in the words of Docker 28."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation import addresses, devices, mounts, networks, pairs, policies, quantities
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.docker.creation.networks import Attachment
from millefeuille.faces.cli import values
from millefeuille.faces.cli.image.trust import content_trust
from millefeuille.faces.cli.options import Option, boolean, duration, integer, repeated, string
from millefeuille.faces.cli.typed import amount, checked, hidden, natural, things

_STREAMS: Final = ("stdin", "stdout", "stderr")


def _stream(text: str) -> str:
    if text.lower() not in _STREAMS:
        raise InvalidOption("valid streams are STDIN, STDOUT and STDERR")
    return text.lower()


def _mount(text: str) -> dict[str, Any]:
    if not text:
        raise InvalidOption("EOF")
    return mounts.mount(values.read_strings(text, ()))


def _network(text: str) -> Attachment:
    if networks.is_long(text):
        return networks.attachment(values.read_strings(text, ()))
    return Attachment(target=text)


_CGROUPNS: Final = """Cgroup namespace to use (host|private)
'host':    Run the container in the Docker host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)"""
_HEALTH_TIME: Final = "(ms|s|m|h) (default 0s)"
_START_PERIOD: Final = "Start period for the container to initialize before starting health-retries countdown"
_PULL: Final = 'Pull image before {} ("always", "{}missing", "never")'

ADD_HOST = checked("add-host", "Add a custom host-to-IP mapping (host:ip)", addresses.extra_host)
ANNOTATION = checked(
    "annotation", "Add an annotation to the container (passed through to the OCI runtime) (default map[])",
    str, shape="map",
)  # fmt: skip
ATTACH = checked("attach", "Attach to STDIN, STDOUT or STDERR", _stream, short="a")
BLKIO_WEIGHT = natural(
    "blkio-weight",
    "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
    16,
    "uint16",
)
BLKIO_WEIGHT_DEVICE = things(
    "blkio-weight-device", "Block IO weight (relative device weight) (default [])", devices.weight
)
CAP_ADD = repeated("cap-add", "Add Linux capabilities")
CAP_DROP = repeated("cap-drop", "Drop Linux capabilities")
CGROUP_PARENT = string("cgroup-parent", "Optional parent cgroup for the container")
CGROUPNS = string("cgroupns", _CGROUPNS)
CIDFILE = string("cidfile", "Write the container ID to the file", complete="file")
CPU_COUNT = integer("cpu-count", "CPU count (Windows only)")
CPU_PERCENT = integer("cpu-percent", "CPU percent (Windows only)")
CPU_PERIOD = integer("cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period")
CPU_QUOTA = integer("cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota")
CPU_RT_PERIOD = integer("cpu-rt-period", "Limit CPU real-time period in microseconds")
CPU_RT_RUNTIME = integer("cpu-rt-runtime", "Limit CPU real-time runtime in microseconds")
CPU_SHARES = integer("cpu-shares", "CPU shares (relative weight)", short="c")
CPUS = amount("cpus", "Number of CPUs", read=quantities.nano_cpus, shape="decimal")
CPUSET_CPUS = string("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)")
CPUSET_MEMS = string("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)")
DETACH = boolean("detach", "Run container in background and print container ID", short="d")
DETACH_KEYS = string("detach-keys", "Override the key sequence for detaching a container")
DEVICE = repeated("device", "Add a host device to the container")
DEVICE_CGROUP_RULE = checked(
    "device-cgroup-rule", "Add a rule to the cgroup allowed devices list", devices.rule
)
DEVICE_READ_BPS = things(
    "device-read-bps", "Limit read rate (bytes per second) from a device (default [])", devices.bytes_rate
)
DEVICE_READ_IOPS = things(
    "device-read-iops", "Limit read rate (IO per second) from a device (default [])", devices.operations_rate
)
DEVICE_WRITE_BPS = things(
    "device-write-bps", "Limit write rate (bytes per second) to a device (default [])", devices.bytes_rate
)
DEVICE_WRITE_IOPS = things(
    "device-write-iops", "Limit write rate (IO per second) to a device (default [])", devices.operations_rate
)
TRUST = content_trust("Skip image verification")
DNS = checked("dns", "Set custom DNS servers", addresses.ip_address)
DNS_OPT = hidden("dns-opt", "Set DNS options")
DNS_OPTION = repeated("dns-option", "Set DNS options")
DNS_SEARCH = checked("dns-search", "Set custom DNS search domains", addresses.search_domain)
DOMAINNAME = string("domainname", "Container NIS domain name")
ENTRYPOINT = string("entrypoint", "Overwrite the default ENTRYPOINT of the image")
ENV = checked("env", "Set environment variables", pairs.variable, short="e")
ENV_FILE = repeated("env-file", "Read in a file of environment variables")
EXPOSE = repeated("expose", "Expose a port or a range of ports")
GPUS = checked(
    "gpus", "GPU devices to add to the container ('all' to pass all GPUs)", str, shape="gpu-request"
)
GROUP_ADD = repeated("group-add", "Add additional groups to join")
HEALTH_CMD = string("health-cmd", "Command to run to check health")
HEALTH_INTERVAL = duration("health-interval", f"Time between running the check {_HEALTH_TIME}")
HEALTH_RETRIES = integer("health-retries", "Consecutive failures needed to report unhealthy")
HEALTH_START_INTERVAL = duration(
    "health-start-interval", f"Time between running the check during the start period {_HEALTH_TIME}"
)
HEALTH_START_PERIOD = duration("health-start-period", f"{_START_PERIOD} {_HEALTH_TIME}")
HEALTH_TIMEOUT = duration("health-timeout", f"Maximum time to allow one check to run {_HEALTH_TIME}")
HOSTNAME = string("hostname", "Container host name", short="h")
INIT = boolean("init", "Run an init inside the container that forwards signals and reaps processes")
INTERACTIVE = boolean("interactive", "Keep STDIN open even if not attached", short="i")
IO_MAXBANDWIDTH = amount("io-maxbandwidth", "Maximum IO bandwidth limit for the system drive (Windows only)")
IO_MAXIOPS = natural("io-maxiops", "Maximum IOps limit for the system drive (Windows only)", 64, "uint")
IP = string("ip", "IPv4 address (e.g., 172.30.100.104)")
IP6 = string("ip6", "IPv6 address (e.g., 2001:db8::33)")
IPC = string("ipc", "IPC mode to use")
ISOLATION = string("isolation", "Container isolation technology")
KERNEL_MEMORY = amount("kernel-memory", "Kernel memory limit")
LABEL = checked("label", "Set meta data on a container", pairs.label, short="l")
LABEL_FILE = repeated("label-file", "Read in a line delimited file of labels")
LINK = checked("link", "Add link to another container", addresses.link)
LINK_LOCAL_IP = repeated("link-local-ip", "Container IPv4/IPv6 link-local addresses")
LOG_DRIVER = string("log-driver", "Logging driver for the container")
LOG_OPT = repeated("log-opt", "Log driver options")
MAC_ADDRESS = string("mac-address", "Container MAC address (e.g., 92:d0:c6:0a:29:33)")
MEMORY = amount("memory", "Memory limit", short="m")
MEMORY_RESERVATION = amount("memory-reservation", "Memory soft limit")
MEMORY_SWAP = amount(
    "memory-swap", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    read=quantities.memory_and_swap,
)  # fmt: skip
MEMORY_SWAPPINESS = integer("memory-swappiness", "Tune container memory swappiness (0 to 100)", default=-1)
MOUNT = things("mount", "Attach a filesystem mount to the container", _mount, shape="mount")
NAME = string("name", "Assign a name to the container")
NET = Option[tuple[Attachment, ...]](
    name="net", help="Connect a container to a network", short="", shape="network", default=(), hidden=True,
    read=lambda text, before: (*before, _network(text)),
)  # fmt: skip
NET_ALIAS = hidden("net-alias", "Add network-scoped alias for the container")
NETWORK = Option[tuple[Attachment, ...]](
    name="network", help="Connect a container to a network", short="", shape="network", default=(),
    read=lambda text, before: (*before, _network(text)),
)  # fmt: skip
NETWORK_ALIAS = repeated("network-alias", "Add network-scoped alias for the container")
NO_HEALTHCHECK = boolean("no-healthcheck", "Disable any container-specified HEALTHCHECK")
OOM_KILL_DISABLE = boolean("oom-kill-disable", "Disable OOM Killer")
OOM_SCORE_ADJ = integer("oom-score-adj", "Tune host's OOM preferences (-1000 to 1000)")
PID = string("pid", "PID namespace to use")
PIDS_LIMIT = integer("pids-limit", "Tune container pids limit (set -1 for unlimited)")
PLATFORM = string("platform", "Set platform if server is multi-platform capable")
PRIVILEGED = boolean("privileged", "Give extended privileges to this container")
PUBLISH = repeated("publish", "Publish a container's port(s) to the host", short="p")
PUBLISH_ALL = boolean("publish-all", "Publish all exposed ports to random ports", short="P")
PULL_TO_CREATE = string("pull", _PULL.format("creating", "|"), default="missing")
PULL_TO_RUN = string("pull", _PULL.format("running", ""), default="missing")
QUIET = boolean("quiet", "Suppress the pull output", short="q")
READ_ONLY = boolean("read-only", "Mount the container's root filesystem as read only")
REMOVE = boolean(
    "rm", "Automatically remove the container and its associated anonymous volumes when it exits"
)
RESTART = string("restart", "Restart policy to apply when a container exits", default="no")
RUNTIME = string("runtime", "Runtime to use for this container")
SECURITY_OPT = repeated("security-opt", "Security Options")
SHM_SIZE = amount("shm-size", "Size of /dev/shm")
SIG_PROXY = boolean("sig-proxy", "Proxy received signals to the process", default=True)
STOP_SIGNAL = string("stop-signal", "Signal to stop the container")
STOP_TIMEOUT = integer("stop-timeout", "Timeout (in seconds) to stop a container")
STORAGE_OPT = repeated("storage-opt", "Storage driver options for the container")
SYSCTL = checked("sysctl", "Sysctl options (default map[])", pairs.kernel_setting, shape="map")
TMPFS = repeated("tmpfs", "Mount a tmpfs directory")
TTY = boolean("tty", "Allocate a pseudo-TTY", short="t")
ULIMIT = things("ulimit", "Ulimit options (default [])", policies.ulimit, shape="ulimit")
UNSAFE = boolean("unsafe", "Let binds and tmpfs stand on /dev, /sys, and on what /proc shows of the host")
USE_API_SOCKET = boolean("use-api-socket", "Bind mount Docker API socket and required auth")
USER = string("user", "Username or UID (format: <name|uid>[:<group|gid>])", short="u")
USERNS = string("userns", "User namespace to use")
UTS = string("uts", "UTS namespace to use")
VOLUME = repeated("volume", "Bind mount a volume", short="v")
VOLUME_DRIVER = string("volume-driver", "Optional volume driver for the container")
VOLUMES_FROM = repeated("volumes-from", "Mount volumes from the specified container(s)")
WORKDIR = string("workdir", "Working directory inside the container", short="w")

_SHARED: Final[tuple[Option[Any], ...]] = (
    ADD_HOST, ANNOTATION, ATTACH, BLKIO_WEIGHT, BLKIO_WEIGHT_DEVICE, CAP_ADD, CAP_DROP, CGROUP_PARENT,
    CGROUPNS, CIDFILE, CPU_COUNT, CPU_PERCENT, CPU_PERIOD, CPU_QUOTA, CPU_RT_PERIOD, CPU_RT_RUNTIME,
    CPU_SHARES, CPUS, CPUSET_CPUS, CPUSET_MEMS, DEVICE, DEVICE_CGROUP_RULE, DEVICE_READ_BPS,
    DEVICE_READ_IOPS, DEVICE_WRITE_BPS, DEVICE_WRITE_IOPS, TRUST, DNS, DNS_OPT, DNS_OPTION, DNS_SEARCH,
    DOMAINNAME, ENTRYPOINT, ENV, ENV_FILE, EXPOSE, GPUS, GROUP_ADD, HEALTH_CMD, HEALTH_INTERVAL,
    HEALTH_RETRIES, HEALTH_START_INTERVAL, HEALTH_START_PERIOD, HEALTH_TIMEOUT, HOSTNAME, INIT, INTERACTIVE,
    IO_MAXBANDWIDTH, IO_MAXIOPS, IP, IP6, IPC, ISOLATION, KERNEL_MEMORY, LABEL, LABEL_FILE, LINK,
    LINK_LOCAL_IP, LOG_DRIVER, LOG_OPT, MAC_ADDRESS, MEMORY, MEMORY_RESERVATION, MEMORY_SWAP,
    MEMORY_SWAPPINESS, MOUNT, NAME, NET, NET_ALIAS, NETWORK, NETWORK_ALIAS, NO_HEALTHCHECK,
    OOM_KILL_DISABLE, OOM_SCORE_ADJ, PID, PIDS_LIMIT, PLATFORM, PRIVILEGED, PUBLISH, PUBLISH_ALL, QUIET,
    READ_ONLY, REMOVE, RESTART, RUNTIME, SECURITY_OPT, SHM_SIZE, STOP_SIGNAL, STOP_TIMEOUT, STORAGE_OPT,
    SYSCTL, TMPFS, TTY, ULIMIT, UNSAFE, USE_API_SOCKET, USER, USERNS, UTS, VOLUME, VOLUME_DRIVER,
    VOLUMES_FROM, WORKDIR,
)  # fmt: skip
CREATE_OPTIONS: Final = (*_SHARED, PULL_TO_CREATE)
RUN_OPTIONS: Final = (*_SHARED, DETACH, DETACH_KEYS, PULL_TO_RUN, SIG_PROXY)
