"""Random Dockerfiles over a small tree, so that their steps meet: the same seed gives the same case."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tests.walks.building.archives import folder, link, tar
from tests.walks.building.case import Case
from tests.walks.building.context import File, Files, Folder, Link, Same, Thing

# Directories and files of one tree, in images below /t and in the context at its top.
_FOLDERS: Final = ("a", "b", "a/s", "b/s")
_LEAVES: Final = ("x", "y", "a/x", "a/y", "a/s/z", "b/x", "b/s/z")
_MODES: Final = (0o644, 0o600, 0o755, 0o4711, 0o1640)
_FOLDER_MODES: Final = (0o755, 0o700, 0o1777, 0o2775)
_OWNERS: Final = ("alice", "alice:staff", "7:8", "9", "0:50", ":7", "bob:3")
_PATTERNS: Final = ("*/x", "**/z", "b/s", "!b/s/z", "y", "!a/x", "!b", "**/s", "a/?", "b/[^x]", "!x")
_WORDS: Final = (
    "${V}", "$W", "${V:-d}", "${U:-$W}", "${W:+p$V}", "'$V'", '"$V $W"', "\\$V", "pl\\ ain", "x${U}y",
)  # fmt: skip
_SOURCES: Final = (
    ".", "a", "a/", "b", "l", "x", "y", "b/x", "a/s/z", "a/*", "*/s", "?", "a/l", "b/h", "a b",
)  # fmt: skip
_DIRECTORIES: Final = (".", "a", "a/", "b", "l", "a/*", "*/s", "?", "a b")
_OF_STAGES: Final = ("/t*", "/srv/tree", "/t*/a*", "/t/*", "/", "/etc/*", "/srv")
_SEVERAL: Final = ("a b", "a/*", "*/s", "?")
_FILLED: Final = "mkdir -p /t/a/s /t/b/s && for f in x y a/x a/s/z b/x; do echo base $f > /t/$f; done"


def case(seed: object, peers: tuple[str, ...]) -> Case:
    """The random Dockerfile of a seed, with its context."""
    return _Maker(random.Random(f"building {seed}")).case(str(seed), peers)


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._stages: list[bool] = []  # whether each can run commands

    def case(self, seed: str, peers: tuple[str, ...]) -> Case:
        lines = [f"ARG G={self._word()}"] if self._one_in(3) else []
        for number in range(self._chance.choice((1, 1, 2, 2, 3))):
            lines += self._stage(number)
        arguments = {name: f"given {name}" for name in ("V", "U") if self._one_in(4)}
        return Case(
            name=f"random-{seed}", dockerfile="\n".join(lines) + "\n", files=self._files(),
            arguments=arguments, peers=peers,
        )  # fmt: skip

    def _files(self) -> Files:
        chance, found = self._chance, dict[str, Thing]()
        for name in _FOLDERS:
            found[name] = Folder(mode=chance.choice(_FOLDER_MODES))
        for name in _LEAVES:
            found[name] = File(f"context {name}\n", mode=chance.choice(_MODES))
        found["a/l"] = Link(chance.choice(("x", "s", "../y", "nowhere")))
        found["l"] = Link(chance.choice(("a", "b/x", "a/s/z")))
        found["b/h"] = Same("b/x")
        found["t.tar"] = tar({
            "a": folder(0o711), "a/x": "archived", "n/m": "deep", "l": link("a"),
            "n/h": link("n/m", hard=True),
        }, pack=chance.choice(("", "gz")))  # fmt: skip
        if self._one_in(5):
            patterns = [chance.choice(_PATTERNS) for _ in range(chance.randint(1, 4))]
            found[".dockerignore"] = "\n".join([*patterns, "!t.tar"]) + "\n"
        return found

    def _stage(self, number: int) -> list[str]:
        chance = self._chance
        runs = True
        base = "base:1"
        if number and self._one_in(3):
            parent = chance.randrange(number)
            base, runs = f"s{parent}", self._stages[parent]
        elif self._one_in(8):
            base, runs = "scratch", False
        acts: list[Callable[[], str]] = [*[self._copy] * 3, self._add, self._meta, self._variable]
        if runs:
            acts += [self._run] * 5
        if number:
            acts += [lambda: self._copy_from(number)] * 2
        lines = [f"FROM {base} AS s{number}"]
        if runs and base == "base:1" and not self._one_in(4):
            lines.append(f"RUN {_FILLED}")
        lines += [chance.choice(acts)() for _ in range(chance.randint(2, 8))]
        self._stages.append(runs)
        return lines if runs else [*lines, "COPY y /t/last"]

    def _path(self) -> str:
        return self._chance.choice((*_FOLDERS, *_LEAVES))

    def _one_in(self, n: int) -> bool:
        return self._chance.randrange(n) == 0

    def _copy(self) -> str:
        chance = self._chance
        flags = f"--chown={chance.choice(_OWNERS[2:])} " if self._one_in(3) else ""
        source = chance.choice(_SOURCES)
        below = f"/t/{chance.choice(_FOLDERS if source in _DIRECTORIES else _LEAVES)}"
        fresh = f"/t/new-{chance.randrange(3)}"
        place = chance.choice(("/t/", below, f"{below}/", "rel/", "/new/deep/", fresh))
        if source in _SEVERAL and not place.endswith("/"):
            place += "/"
        return f"COPY {flags}{source} {place}"

    def _copy_from(self, number: int) -> str:
        chance = self._chance
        flags = f"--chown={chance.choice(_OWNERS[2:])} " if self._one_in(4) else ""
        stage = chance.randrange(number)
        source = chance.choice((*_OF_STAGES, f"/t/{self._path()}"))
        place = chance.choice(("/t/", "/from/", f"/t/{self._path()}/"))
        return f"COPY --from=s{stage} {flags}{source} {place}"

    def _add(self) -> str:
        source = self._chance.choice(("t.tar", "t.tar", "x", "a"))
        return f"ADD {source} {self._chance.choice(('/t/', '/t', '/t/a/', '/ex/tr/', '.'))}"

    def _run(self) -> str:
        return "RUN " + "; ".join(self._command() for _ in range(self._chance.randint(1, 4)))

    def _command(self) -> str:
        chance, one, two = self._chance, f"/t/{self._path()}", f"/t/{self._path()}"
        what = chance.choice((
            f"mkdir -p {one}", f"echo {chance.randrange(9)} > {one}", f"rm -rf {one}",
            f"rm -rf {one}; mkdir {one}",
            f"ln -s {chance.choice(('x', 'a', '../b', two))} {one}", f"ln {one} {two}", f"mv {one} {two}",
            f"chmod {chance.choice(('700', '4755', 'g+s', 'a-w'))} {one}",
            f"chown {chance.choice(_OWNERS)} {one}",
            f"touch {one}", f"cp -a {one} {two}", f"echo more >> {one}", f"rm -rf {one}; echo file > {one}",
            "echo $V $W ${U-none} > /t/vars", f"touch -d @1000000000 {one}",
        ))  # fmt: skip
        return f"{{ {what}; }} 2>/dev/null || :"

    def _variable(self) -> str:
        name = self._chance.choice("VWU")
        given = f"{name}={self._word()}"
        return self._chance.choice((f"ARG {name}", f"ARG {given}", f"ENV {given}", "ARG G"))

    def _meta(self) -> str:
        chance = self._chance
        return chance.choice((
            f"LABEL {chance.choice('kl')}={self._word()}", f"CMD [\"{chance.choice('ab')}\"]", "CMD shell $V",
            "ENTRYPOINT [\"e\"]", f"EXPOSE {chance.choice(('80', '80/udp', '7-9/tcp'))}", "STOPSIGNAL SIGINT",
            f"WORKDIR {chance.choice(('/w', 'rel', '/t/a', '../up', '/w$V'))}",
            "SHELL [\"/bin/sh\", \"-ec\"]",
        ))  # fmt: skip

    def _word(self) -> str:
        return self._chance.choice(_WORDS)
