"""The project's pages as the tests of this directory read them: code blocks, links, words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: the words behind its fence, and its text."""

    words: tuple[str, ...]
    text: str

    @property
    def language(self) -> str:
        """What it is written in, "" when the page does not say."""
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of a console block, the words behind that block's fence, and what it is said to print."""

    command: str
    output: str
    words: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(words=tuple(words.split()), text=text) for words, text in found]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def steps(page: Path) -> list[Step]:
    """The commands of a page's console blocks, in order."""
    found = []
    for block in blocks(page):
        if block.language != "console":
            continue
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Step(command=command, output=output, words=block.words[1:]))
    return found
