"""The table of commands: plain data, so that start-up, help and completion load no command.

How a command is written. Its module lies under `faces/cli/<group>/` (`top/` for those without a group),
is loaded only when called, and ends in a value named COMMAND:

    QUIET = boolean("quiet", "Only show image IDs", short="q")

    def run(context: Context, call: Call) -> int:
        for image in ...:                                # call.arguments, call[QUIET], call.given(QUIET)
            context.terminal.line(image.id)              # stdout; complain() is stderr
        return 0                                         # the exit code

    COMMAND = Command(usage="[OPTIONS] [REPOSITORY[:TAG]]", arguments=at_most(1), options=(QUIET,), run=run)

Then one Row here. The first name is the canonical one; within a group the first name is listed and
further ones are silent aliases; names of other groups are twins. All of them run the same module.

Errors are raised, not printed: an engine error shows as `Error: text`, a `Refusal` (exits.py) as `text`.
A command that goes on after a failing argument calls `exits.report(context.terminal, error)`, which
prints and gives the exit code. `context.terminal.confirm(message)` asks y/N. Progress is
`with progress.shown(context.terminal, "pull", quiet=...) as reporter:`.
"""

from __future__ import annotations

from millefeuille.annotations import Final, NamedTuple


class Row(NamedTuple):
    """A command: its module below `faces/cli`, its one-line summary, its names as typed after `mille`.

    One without a summary is called by our own processes only, and no help shows it.
    """

    module: str
    summary: str
    names: tuple[str, ...]


class Group(NamedTuple):
    """A command that only holds others."""

    name: str
    summary: str


SUMMARY: Final = "A container image engine that needs no daemon"

COMMON: Final = (
    "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info",
)  # fmt: skip

GROUPS: Final = (
    Group("builder", "Manage builds"),
    Group("container", "Manage containers"),
    Group("image", "Manage images"),
    Group("manifest", "Manage Docker image manifests and manifest lists"),
    Group("network", "Manage networks"),
    Group("system", "Manage millefeuille"),
    Group("volume", "Manage volumes"),
)

COMMANDS: Final = (
    Row(
        "container.cp",
        "Copy files/folders between a container and the local filesystem",
        ("container cp", "cp"),
    ),
    Row("container.cleanup", "", ("container cleanup",)),
    Row("container.attach",
        "Attach local standard input, output, and error streams to a running container",
        ("container attach", "attach")),
    Row("container.create", "Create a new container", ("container create", "create")),
    Row("container.exec_", "Execute a command in a running container", ("container exec", "exec")),
    Row("container.kill", "Kill one or more running containers", ("container kill", "kill")),
    Row("container.pause", "Pause all processes within one or more containers", ("container pause", "pause")),
    Row("container.rename", "Rename a container", ("container rename", "rename")),
    Row("container.restart", "Restart one or more containers", ("container restart", "restart")),
    Row("container.rm", "Remove one or more containers", ("container rm", "container remove", "rm")),
    Row("container.start", "Start one or more stopped containers", ("container start", "start")),
    Row("container.stop", "Stop one or more running containers", ("container stop", "stop")),
    Row(
        "container.unpause", "Unpause all processes within one or more containers",
        ("container unpause", "unpause"),
    ),
    Row(
        "container.wait", "Block until one or more containers stop, then print their exit codes",
        ("container wait", "wait"),
    ),
    Row("container.commit", "Create a new image from a container's changes", ("container commit", "commit")),
    Row(
        "container.diff",
        "Inspect changes to files or directories on a container's filesystem",
        ("container diff", "diff"),
    ),
    Row(
        "container.export",
        "Export a container's filesystem as a tar archive",
        ("container export", "export"),
    ),
    Row(
        "container.inspect", "Display detailed information on one or more containers",
        ("container inspect",),
    ),
    Row("container.logs", "Fetch the logs of a container", ("container logs", "logs")),
    Row(
        "container.ls", "List containers",
        ("container ls", "container list", "container ps", "ps"),
    ),
    Row(
        "container.port", "List port mappings or a specific mapping for the container",
        ("container port", "port"),
    ),
    Row("container.prune", "Remove all stopped containers", ("container prune",)),
    Row(
        "container.stats", "Display a live stream of container(s) resource usage statistics",
        ("container stats", "stats"),
    ),
    Row("container.top", "Display the running processes of a container", ("container top", "top")),
    Row(
        "container.update", "Update configuration of one or more containers",
        ("container update", "update"),
    ),
    Row("container.run", "Create and run a new container from an image", ("container run", "run")),
    Row("analyze.analyze", "Analyze the layers of an image", ("analyze",)),
    Row("analyze.dive", "Analyze an image as Dive does", ("dive",)),
    Row("top.dive_build", "Build an image and analyze it", ("dive build",)),
    Row("top.dive_help", "Show the help of dive, or of a command below it", ("dive help",)),
    Row("top.dive_version", "Show the version of Dive that this is like", ("dive version",)),
    Row("builder.debug", "Open a shell where a build failed", ("builder debug", "build debug")),
    Row("builder.du", "Show what the build cache takes", ("builder du",)),
    Row("builder.history", "List builds, or show the steps of one", ("builder history", "build history")),
    Row("builder.prune", "Remove build cache", ("builder prune",)),
    Row("image.build", "Build an image from a Dockerfile", ("image build", "build", "builder build")),
    Row("image.blame", "Show which layers touched a path of an image", ("image blame",)),
    Row("image.cat", "Print a file of an image", ("image cat",)),
    Row("image.cp", "Copy files/folders from an image to the local filesystem", ("image cp",)),
    Row("image.diff", "Show what differs between two images", ("image diff",)),
    Row("image.dockerfile", "Show an image's history as a Dockerfile", ("image dockerfile",)),
    Row("image.history", "Show the history of an image", ("image history", "history")),
    Row(
        "image.import_",
        "Import the contents from a tarball to create a filesystem image",
        ("image import", "import"),
    ),
    Row("image.inspect", "Display detailed information on one or more images", ("image inspect",)),
    Row("image.load", "Load an image from a tar archive or STDIN", ("image load", "load")),
    Row("image.ls", "List images", ("image ls", "image list", "images")),
    Row("image.ls_files", "List the files in an image", ("image ls-files",)),
    Row("image.mount", "Mount an image read-only, or list mounted images", ("image mount",)),
    Row("image.packages", "List the packages in an image", ("image packages",)),
    Row("image.prune", "Remove unused images", ("image prune",)),
    Row("image.pull", "Download an image from a registry", ("image pull", "pull")),
    Row("image.push", "Upload an image to a registry", ("image push", "push")),
    Row("image.rm", "Remove one or more images", ("image rm", "image remove", "rmi")),
    Row(
        "image.save",
        "Save one or more images to a tar archive (streamed to STDOUT by default)",
        ("image save", "save"),
    ),
    Row("image.secrets", "Find keys, tokens and passwords, in deleted files too", ("image secrets",)),
    Row("image.slim", "Drop what later layers hide, with the files unchanged", ("image slim",)),
    Row("image.tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", ("image tag", "tag")),
    Row("image.unmount", "Unmount images", ("image unmount", "image umount")),
    Row("manifest.inspect", "Display an image manifest, or manifest list", ("manifest inspect",)),
    Row("network.connect", "Connect a container to a network", ("network connect",)),
    Row("network.create", "Create a network", ("network create",)),
    Row("network.disconnect", "Disconnect a container from a network", ("network disconnect",)),
    Row(
        "network.inspect", "Display detailed information on one or more networks", ("network inspect",)
    ),
    Row("network.ls", "List networks", ("network ls", "network list")),
    Row("network.prune", "Remove all unused networks", ("network prune",)),
    Row("network.rm", "Remove one or more networks", ("network rm", "network remove")),
    Row("system.check", "Check the store, and repair it", ("system check",)),
    Row("system.df", "Show disk usage", ("system df",)),
    Row("system.events", "Get real time events from the engine", ("system events", "events")),
    Row("system.info", "Display system-wide information", ("system info", "info")),
    Row("system.map", "Show what images share, and what a common base would save", ("system map",)),
    Row("system.prune", "Remove unused data", ("system prune",)),
    Row("volume.create", "Create a volume", ("volume create",)),
    Row("volume.inspect", "Display detailed information on one or more volumes", ("volume inspect",)),
    Row("volume.ls", "List volumes", ("volume ls", "volume list")),
    Row("volume.prune", "Remove unused local volumes", ("volume prune",)),
    Row("volume.rm", "Remove one or more volumes", ("volume rm", "volume remove")),
    Row(
        "top.completion",
        "Generate the autocompletion script for the specified shell",
        ("completion", "dive completion"),
    ),
    Row("top.inspect", "Return low-level information on stored objects", ("inspect",)),
    Row("top.login", "Authenticate to a registry", ("login",)),
    Row("top.logout", "Log out from a registry", ("logout",)),
    Row("top.search", "Search Docker Hub for images", ("search",)),
    Row("top.version", "Show the version information", ("version",)),
)
