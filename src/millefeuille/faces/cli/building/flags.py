"""The flags of `mille build`: those of Docker's classic builder and of buildx, and our own."""

from __future__ import annotations

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation import policies
from millefeuille.docker.creation.pairs import label
from millefeuille.docker.creation.quantities import memory_and_swap
from millefeuille.faces.cli.options import Option, boolean, integer, repeated, string, strings
from millefeuille.faces.cli.typed import amount, checked, things

ADD_HOST = repeated("add-host", 'Add a custom host-to-IP mapping ("host:ip")')
ALLOW = strings("allow", 'Allow extra privileged entitlement ("network.host", "security.insecure")')
ANNOTATION = repeated("annotation", "Add annotation to the image")
ATTEST = repeated("attest", 'Attestation parameters ("type=sbom,generator=image")')
BUILD_ARG = repeated("build-arg", "Set build-time variables")
BUILD_CONTEXT = repeated("build-context", "Additional build contexts (name=path)")
CACHE_FROM = repeated("cache-from", 'External cache sources ("user/app:cache", "type=local,src=path/to/dir")')
CACHE_TO = repeated("cache-to", 'Cache export destinations ("user/app:cache", "type=local,dest=path/to/dir")')
CALL = string("call", 'Set method for evaluating build ("check", "outline", "targets")', default="build")
CGROUP_PARENT = string("cgroup-parent", "Set the parent cgroup for the RUN instructions during build")
CHECK = boolean("check", "Shorthand for \"--call=check\"")
CPU_PERIOD = integer("cpu-period", "Limit the CPU CFS (Completely Fair Scheduler) period")
CPU_QUOTA = integer("cpu-quota", "Limit the CPU CFS (Completely Fair Scheduler) quota")
CPU_SHARES = integer("cpu-shares", "CPU shares (relative weight)", short="c")
CPUSET_CPUS = string("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)")
CPUSET_MEMS = string("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)")
DEBUG = boolean("debug", "Shorthand for \"--on-error=shell\"")
DRY_RUN = boolean("dry-run", "Show the plan and which steps are in the cache, and make nothing")
FILE = string("file", 'Name of the Dockerfile (default "PATH/Dockerfile")', short="f", complete="file")
FORCE_RM = boolean("force-rm", "Always remove intermediate containers: there are none that stay")
IIDFILE = string("iidfile", "Write the image ID to a file", complete="file")
LABEL = checked("label", "Set metadata for an image", label)
LOAD = boolean("load", "Shorthand for \"--output=type=image\": put the result into the store")
MEMORY = amount("memory", "Memory limit", short="m")
MEMORY_SWAP = amount(
    "memory-swap", "Swap limit equal to memory plus swap: -1 to enable unlimited swap", read=memory_and_swap
)
METADATA_FILE = string("metadata-file", "Write build result metadata to a file", complete="file")
NETWORK = string(
    "network", "Set the networking mode for the RUN instructions during build", default="default"
)
NO_CACHE = boolean("no-cache", "Do not use cache when building the image")
NO_CACHE_FILTER = strings("no-cache-filter", "Do not cache specified stages")
ON_ERROR = string(
    "on-error", 'What to do with the filesystem of a RUN that failed ("keep", "shell", "discard")',
    default="keep",
)  # fmt: skip
OUTPUT = repeated("output", 'Output destination ("type=local,dest=path")', short="o")
PLATFORM = strings("platform", "Set target platform for build")
PROGRESS = string("progress", 'Set type of progress output ("auto", "plain", "tty", "quiet")', default="auto")
PROVENANCE = string("provenance", 'Shorthand for "--attest=type=provenance"')
PULL = boolean("pull", "Always attempt to pull all referenced images")
PUSH = boolean("push", 'Shorthand for "--output=type=registry"')
QUIET = boolean("quiet", "Suppress the build output and print image ID on success", short="q")
RM = boolean("rm", "Remove intermediate containers after a successful build: there are none", default=True)
SBOM = string("sbom", 'Shorthand for "--attest=type=sbom"')
SECRET = repeated("secret", 'Secret to expose to the build ("id=mysecret[,src=/local/secret]")')
SHM_SIZE = amount("shm-size", "Shared memory size for build containers")
SQUASH = boolean("squash", "Squash newly built layers into a single new layer")
SSH = repeated(
    "ssh", 'SSH agent socket or keys to expose to the build ("default|<id>[=<socket>|<key>[,<key>]]")'
)
TAG = repeated("tag", 'Image identifier ("[registry/]repository[:tag]")', short="t")
TARGET = string("target", "Set the target build stage to build")
TIMESTAMP = integer("timestamp", "Set all times in the image to these seconds since 1970", default=-1)
ULIMIT = things("ulimit", "Ulimit options (default [])", policies.ulimit, shape="ulimit")

EXPLAIN = boolean("explain", "Say of each step why it was taken from the cache, or not")

# Limits of commands, each with Docker's name for it in a HostConfig.
LIMITS: Final[tuple[tuple[Option[Any], str], ...]] = (
    (CGROUP_PARENT, "CgroupParent"), (CPU_PERIOD, "CpuPeriod"), (CPU_QUOTA, "CpuQuota"),
    (CPU_SHARES, "CpuShares"), (CPUSET_CPUS, "CpusetCpus"), (CPUSET_MEMS, "CpusetMems"), (MEMORY, "Memory"),
    (MEMORY_SWAP, "MemorySwap"),
)  # fmt: skip

ALL: Final = (
    ADD_HOST, ALLOW, ANNOTATION, ATTEST, BUILD_ARG, BUILD_CONTEXT, CACHE_FROM, CACHE_TO, CALL, CGROUP_PARENT,
    CHECK, CPU_PERIOD, CPU_QUOTA, CPU_SHARES, CPUSET_CPUS, CPUSET_MEMS, DEBUG, DRY_RUN, EXPLAIN, FILE,
    FORCE_RM, IIDFILE, LABEL, LOAD, MEMORY, MEMORY_SWAP, METADATA_FILE, NETWORK, NO_CACHE, NO_CACHE_FILTER,
    ON_ERROR, OUTPUT, PLATFORM, PROGRESS, PROVENANCE, PULL, PUSH, QUIET, RM, SBOM, SECRET, SHM_SIZE, SQUASH,
    SSH, TAG, TARGET, TIMESTAMP, ULIMIT,
)  # fmt: skip
