"""Ignore files: which paths of the context a COPY does not see."""

from tests.walks.building.case import Case
from tests.walks.building.context import Files

TREE: Files = {
    "a.txt": "1", "b.md": "2", "README.md": "3", "sub/a.txt": "4", "sub/b.md": "5", "sub/deep/a.txt": "6",
    "sub/deep/keep": "7", "build/out/x": "8", "build/y": "9", ".hidden": "10", "a b.txt": "11",
}  # fmt: skip

ALL_OF_IT = """
FROM base:1
COPY . /x/
"""


def ignoring(name: str, *patterns: str, dockerfile: str = ALL_OF_IT) -> Case:
    return Case(name=name, dockerfile=dockerfile, files={**TREE, ".dockerignore": "\n".join(patterns) + "\n"})


CASES = [
    ignoring("ignore-names", "a.txt", "build"),
    ignoring("ignore-wildcards", "*.md", "*/*.txt", "sub/d?ep/k*"),
    ignoring("ignore-any-depth", "**/*.txt"),
    ignoring("ignore-below", "sub/**"),
    ignoring("ignore-exceptions", "*.md", "!README.md", "sub", "!sub/deep/keep"),
    ignoring("ignore-last-match-wins", "*.md", "!README.md", "README*"),
    ignoring("ignore-everything-but", "*", "!sub/deep", "!a.txt"),
    ignoring("ignore-everything-below-but", "**", "!**/a.txt"),
    ignoring("ignore-comments-and-blanks", "# c", "", "  a.txt  ", " #b.md", "/b.md", "./build", "sub/"),
    ignoring("ignore-dots", "sub/../a.txt", "..", ".", "./sub/./deep"),
    ignoring("ignore-brackets", "[ab].*", "sub/[!b]*"),
    ignoring("ignore-its-own-file", ".dockerignore", "Dockerfile", ".*"),
    ignoring("ignore-blanks-in-names", "a b.txt"),
    ignoring("ignore-named-source", "a.txt", dockerfile="\nFROM base:1\nCOPY a.txt /x\n"),
    ignoring("ignore-all-of-a-source-directory", "sub", dockerfile="\nFROM base:1\nCOPY sub /x\n"),
    ignoring("ignore-within-a-source", "sub/deep", "*.md", dockerfile="\nFROM base:1\nCOPY sub build /x/\n"),
    ignoring("ignore-for-wildcard-source", "a.txt", dockerfile="\nFROM base:1\nCOPY *.txt /x/\n"),
    ignoring("ignore-directory-with-exception-within", "build/*", "!build/out", "build/out/x", "sub/deep"),
    ignoring("ignore-lone-exclamation-mark", "a.txt", "!"),
    ignoring("ignore-bad-pattern", "a[", "b.md"),
    Case(name="ignore-file-of-the-dockerfile", peers=("buildkit",), dockerfile=ALL_OF_IT, files={
        **TREE, ".dockerignore": "a.txt\n", "Dockerfile.dockerignore": "b.md\n",
    }),
    Case(name="ignore-empty-file", dockerfile=ALL_OF_IT, files={**TREE, ".dockerignore": ""}),
]  # fmt: skip
