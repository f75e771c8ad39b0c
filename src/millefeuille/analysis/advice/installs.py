"""Installs: what the commands of a RUN read of the context, as far as one knows them by their names."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Collection, Sequence

from millefeuille.analysis.advice.manifests import Read, asks_for_more, required
from millefeuille.analysis.advice.shell import commands, words
from millefeuille.annotations import Final, NamedTuple


class _Tool(NamedTuple):
    """A command, the files that it reads, the first of them always, and what makes it read others."""

    pattern: re.Pattern[str]
    files: tuple[str, ...]
    others: re.Pattern[str] | None = None


_MANIFESTS: Final = re.compile(r"(?:^|/)package\.json$")
_TOOLS: Final = (
    _Tool(
        re.compile(r"npm (?:\S+ )*?(?:ci|i|install|clean-install)(?: -\S+)*$"),
        ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"), _MANIFESTS,
    ),
    _Tool(
        re.compile(r"yarn(?: install)?(?: -\S+)*$"),
        ("package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml", ".yarn", ".npmrc"), _MANIFESTS,
    ),
    _Tool(
        re.compile(r"pnpm (?:\S+ )*?(?:i|install|fetch)(?: -\S+)*$"),
        ("package.json", "pnpm-lock.yaml", ".npmrc", "pnpm-workspace.yaml"), _MANIFESTS,
    ),
    _Tool(
        re.compile(r"bun (?:i|install)(?: -\S+)*$"),
        ("package.json", "bun.lock", "bun.lockb", "bunfig.toml"), _MANIFESTS,
    ),
    _Tool(
        re.compile(r"go mod download(?: -\S+)*$"), ("go.mod", "go.sum"),
        re.compile(r"(?:^|/)go\.work$|/go\.mod$"),
    ),
    _Tool(
        re.compile(r"bundle install(?: .*)?$"), ("Gemfile", "Gemfile.lock", ".ruby-version", ".bundle"),
        re.compile(r"\.gemspec$"),
    ),
    _Tool(re.compile(r"composer install(?: -\S+)*$"), ("composer.json", "composer.lock", "symfony.lock")),
    _Tool(
        re.compile(r"poetry install .*--no-root(?: .*)?$"),
        ("pyproject.toml", "poetry.lock", "poetry.toml"),
    ),
    _Tool(
        re.compile(r"uv sync .*--no-install-project(?: .*)?$"),
        ("pyproject.toml", "uv.lock", ".python-version"),
    ),
    _Tool(re.compile(r"pipenv (?:install|sync)(?: -\S+)*$"), ("Pipfile", "Pipfile.lock")),
    _Tool(
        re.compile(r"mvn (?:-\S+ )*dependency:(?:go-offline|resolve\S*)(?: -\S+)*$"), ("pom.xml", ".mvn"),
        re.compile(r"/pom\.xml$"),
    ),
    _Tool(re.compile(r"mix deps\.get(?: .*)?$"), ("mix.exs", "mix.lock"), re.compile(r"/mix\.exs$")),
)  # fmt: skip
_PIP: Final = re.compile(r"(?:pip[\d.]*|python[\d.]* -m pip|uv pip) (?:-\S+ )*install ")
# What reads nothing that was copied, whatever its words are, and what does not as long as no word is a path.
_APART: Final = re.compile(
    r"(?:update-ca-certificates|ldconfig|true|:|date|id|pwd|uname|umask|(?:user|group)(?:add|mod|del)"
    r"|add(?:user|group)|locale-gen|corepack)(?: |$)|set -\w+$"
)
_PLACES: Final = re.compile(r"(?:rm|mkdir) ")
_NAMED: Final = re.compile(
    r"(?:(?:apt-get|apt|aptitude|apk|microdnf|dnf|yum|zypper|pacman|opkg) "
    r"|npm (?:i|install) (?:-\S+ )*(?:-g|--global) |npm (?:config|cache) |yarn (?:global|config|cache) "
    r"|gem install |go install |cargo install |composer global |rustup |dotnet tool )"
)
_ASSIGNED: Final = re.compile(r"(?:[A-Za-z_]\w*=\S* )+")


class Reading(NamedTuple):
    """The first commands of a RUN whose reading is known: how many, and what they read of the context; not
    `is_all` where what they read may name more.
    """

    commands: tuple[str, ...]
    rest: tuple[str, ...]
    files: tuple[str, ...]
    is_all: bool = True


class _Sources(NamedTuple):
    """The files that a COPY brought, those that were there before, and what reads both."""

    names: Collection[str]
    there: Collection[str]
    read: Read


class _Files(NamedTuple):
    """What one command reads, as in Reading."""

    files: Sequence[str] = ()
    is_all: bool = True


def is_apart(command: str) -> bool:
    """Whether a simple command is known by its name to read no files but those of the system, and those that
    its words name.
    """
    return (_APART.match(command) or _NAMED.match(command)) is not None


def reading(body: str, names: Collection[str], there: Collection[str], read: Read) -> Reading:
    """What a RUN reads of `names`, the files that a COPY brought, by paths from its working directory on.

    `there` are files that were there before, which it may read as it likes; `read` gives the content of all
    of them. No commands at all where the text is more than a row of them.
    """
    row = commands(body) or ()
    sources, is_all = _Sources(names, there, read), True
    found: list[str] = []
    known: list[str] = []
    for text in row:
        each = _read(text, sources)
        if each is None:
            break
        known.append(text)
        found += [file for file in each.files if file not in found]
        is_all = is_all and each.is_all
    return Reading(tuple(known), tuple(row[len(known) :]), tuple(found), is_all)


def _read(text: str, sources: _Sources) -> _Files | None:
    """The files that one command reads; None where it may read any."""
    plain = " ".join(shlex.quote(word) if " " in word else word for word in words(text))
    plain = _ASSIGNED.sub("", plain, count=1) if _ASSIGNED.match(plain) else plain
    if re.search(r"[<|`]|\$\(", text):
        return None
    if _APART.match(plain):
        return _Files()
    if _PLACES.match(plain):
        places = [word for word in plain.split()[1:] if not word.startswith("-")]
        return None if "$" in plain or any(_holds(place, sources.names) for place in places) else _Files()
    if _NAMED.match(plain):
        is_apart = not any(word.startswith((".", "/", "~")) or "$" in word for word in plain.split())
        return _Files() if is_apart else None
    if _PIP.match(plain):
        return _requirements(plain.split(), sources)
    for tool in _TOOLS:
        if tool.pattern.match(plain):
            return _files(tool, plain, sources)
    return None


def _holds(place: str, names: Collection[str]) -> bool:
    """Whether some of the names lie at or below a place, perhaps a pattern."""
    plain = re.split(r"[*?\[{]", place, maxsplit=1)[0]
    above = posixpath.normpath(plain if plain == place else plain.rpartition("/")[0] or ".").rstrip("/")
    return any(name == above or name.startswith(above + "/" if above != "." else "") for name in names)


def _files(tool: _Tool, command: str, sources: _Sources) -> _Files | None:
    first, names = tool.files[0], sources.names
    if first not in names and first not in sources.there:
        return None
    is_all = not asks_for_more(command, first, sources.read(first))
    if first not in names:
        return _Files((), is_all)
    relative = [name for name in names if name[0] not in "/."]
    deeper = [name for name in relative if "/" in name and "node_modules/" not in name]
    if tool.others and any(map(tool.others.search, deeper if tool.others is _MANIFESTS else relative)):
        return None
    # npm builds with it, without being told to.
    is_all = is_all and not (tool.others is _MANIFESTS and "binding.gyp" in names)
    return _Files(
        [file for file in tool.files if file in names or any(name.startswith(file + "/") for name in names)],
        is_all,
    )


def _requirements(row: Sequence[str], sources: _Sources) -> _Files | None:
    """What pip reads: the files of requirements, and what they say that it is to read."""
    found: list[str] = []
    is_all = True
    at = row.index("install") + 1
    while at < len(row):
        word = row[at]
        option, _, value = word.partition("=")
        if option in ("-r", "--requirement", "-c", "--constraint"):
            at += 0 if value else 1
            value = value or (row[at] if at < len(row) else "")
        elif re.match(r"-[rc]\S", word):
            value = word[2:]
        elif word in ("-e", "--editable", "-f", "--find-links", "."):
            return None
        elif word.startswith(("-", "'", '"')) or not re.search(r"/|^\.|\.(?:whl|zip|gz)$", word):
            at += 1
            continue
        else:
            return None
        path = posixpath.normpath(value)
        if path not in sources.names and path not in sources.there:
            return None
        more = required(path, {*sources.names, *sources.there}, sources.read)
        found += [name for name in more.files if name in sources.names and name not in found]
        is_all = is_all and more.is_all
        at += 1
    return _Files(found, is_all)
