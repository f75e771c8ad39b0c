"""Which paths a .dockerignore leaves out: the cases of moby's own tests, ours, and random ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from millefeuille.build.sources.glob import BadPattern, component, has_wildcards
from millefeuille.build.sources.ignore import BadIgnoreFile, Ignore, cleaned, parse

MATCHES = """
**                  file                yes
**/                 file                yes
**                  dir/file            yes
**/                 dir/file            yes
**/**               dir/file            yes
dir/**              dir/file            yes
dir/**              dir/dir2/file       yes
dir/**              dir                 no
dir/**              dirs/file           no
**/dir              dir                 yes
**/dir              a/dir               yes
**/dir              dir/file            yes
**/dir              adir                no
**/dir2/*           dir/dir2/file       yes
**/dir2/**          dir/dir2/dir3/file  yes
**file              file                yes
**file              dir/file            yes
**file              dir/afile           yes
**/file             dir/file            yes
**file              dir/dir/file        yes
**/file             dir/dir/file        yes
**/file*            dir/dir/file        yes
**/file*            dir/dir/file.txt    yes
**/file*txt         dir/dir/file.txt    yes
**/file*.txt        dir/dir/file.txt    yes
**/file*.txt*       dir/dir/file.txt    yes
**/**/*.txt         dir/dir/file.txt    yes
**/**/*.txt2        dir/dir/file.txt    no
**/*.txt            file.txt            yes
**/*.txt            .txt                yes
**/*.txt            a/.txt              yes
**/*.txt            a.txt/b             yes
**/**/*.txt         file.txt            yes
a**/*.txt           a/file.txt          yes
a**/*.txt           a/dir/file.txt      yes
a**/*.txt           a/dir/dir/file.txt  yes
a/*.txt             a/dir/file.txt      no
a/*.txt             a/file.txt          yes
a/*.txt**           a/file.txt          yes
a[b-d]e             ae                  no
a[b-d]e             ace                 yes
a[b-d]e             aae                 no
a[^b-d]e            aze                 yes
.*                  .foo                yes
.*                  foo                 no
abc.def             abcdef              no
abc.def             abc.def             yes
abc.def             abcZdef             no
abc?def             abcZdef             yes
abc?def             abcdef              no
**/foo/bar          foo/bar             yes
**/foo/bar          dir/foo/bar         yes
**/foo/bar          dir/dir2/foo/bar    yes
**/foo/bar          dir/xfoo/bar        no
abc/**              abc                 no
abc/**              abc/def             yes
abc/**              abc/def/ghi         yes
**/.foo             .foo                yes
**/.foo             bar.foo             no
a(b)c/def           a(b)c/def           yes
a(b)c/def           a(b)c/xyz           no
a.|)$(}+{bc         a.|)$(}+{bc         yes
dist/*.whl          dist/p-2.4+g0.whl   yes
a\\\\               a\\                 yes
a\\*b               a*b                 yes
a\\*b               ab                  no
abc                 abc                 yes
abc                 abc/def             yes
abc                 abcd                no
/abc                abc                 yes
abc/                abc                 yes
./abc/../abd        abd                 yes
*                   abc                 yes
*c                  abc                 yes
a*                  a                   yes
a*                  ab/c                yes
a*/b                abc/b               yes
a*/b                a/c/b               no
a*b*c*d*e*/f        axbxcxdxe/f         yes
a*b*c*d*e*/f        axbxcxdxexxx/f      yes
a*b*c*d*e*/f        axbxcxdxe/xxx/f     no
a*b*c*d*e*/f        axbxcxdxexxx/fff    no
a*b?c*x             abxbbxdbxebxczzx    yes
a*b?c*x             abxbbxdbxebxczzy    no
ab[c]               abc                 yes
ab[e-g]             abc                 no
ab[^c]              abc                 no
ab[^e-g]            abc                 yes
a?b                 a☺b                 yes
a[^a]b              a☺b                 yes
a???b               a☺b                 no
a[^a][^a][^a]b      a☺b                 no
[a-ζ]*              α                   yes
*[a-ζ]              A                   no
a?b                 a/b                 no
a*b                 a/b                 no
[\\]a]              ]                   yes
[\\-]               -                   yes
[x\\-]              z                   no
[\\-x]              x                   yes
[\\-x]              a                   no
[!a]                !                   yes
[!a]                b                   no
[b-a]               a                   no
*x                  xxx                 yes
a*aab               aaaab               yes
.                   abc                 no
..                  abc                 no
../abc              abc                 no
/                   abc                 no
"""


@pytest.mark.parametrize("line", MATCHES.strip().split("\n"))
def test_one_pattern(line: str) -> None:
    pattern, path, answer = line.split()
    assert Ignore([pattern]).leaves_out(path) == (answer == "yes")


LISTS = """
!fileutils.go *.go                      fileutils.go        out
*.go !fileutils.go                      fileutils.go        kept
docs !docs/README.md                    docs/README.md      kept
docs !docs/README.md                    docs/other          out
docs/ !docs/README.md                   docs/README.md      kept
docs/* !docs/README.md                  docs/README.md      kept
** !util/web                            util/web/foo        kept
** !util/web util/web/foo               util/web/foo        out
** !dist/*.whl                          dist/a.whl          kept
* !src !*.md                            src/a/b             kept
* !src **/*.pyc                         src/a/b.pyc         out
* !src **/*.pyc !src/keep.pyc           src/keep.pyc        kept
d !d/x d                                d/x                 out
!a                                      a                   kept
**/node_modules !app/node_modules       app/node_modules/x  kept
**/node_modules !app/node_modules       lib/node_modules/x  out
* !**/*.md README-secret.md             README.md           kept
* !**/*.md README-secret.md             README-secret.md    out
* !a/b/c                                a/b                 out
* !a/b/c                                a/b/c/d             kept
"""


@pytest.mark.parametrize("line", LISTS.strip().split("\n"))
def test_the_last_that_matches_decides(line: str) -> None:
    *patterns, path, answer = line.split()
    assert Ignore(patterns).leaves_out(path) == (answer == "out")


@pytest.mark.parametrize(
    "pattern",
    [
        "[]a]",
        "[-]",
        "[x-]",
        "[-x]",
        "\\",
        "[a-b-c]",
        "[",
        "[^",
        "[^bc",
        "a[",
        "a/[",
        "**/[",
        "[\\",
        "[a-",
        "[a",
    ],
)
def test_malformed(pattern: str) -> None:
    with pytest.raises(BadPattern, match="syntax error in pattern"):
        Ignore([pattern])


def test_a_lone_exclamation_mark() -> None:
    with pytest.raises(BadPattern, match='illegal exclusion pattern: "!"'):
        Ignore(["!"])


def test_the_file() -> None:
    data = b"\xef\xbb\xbf# no\n#not\n\n  /a//b/ \n! c/../d \n   # a name\r\n\\#x\n/\n"
    assert parse(data, "x") == ["a/b", "!d", "# a name", "\\#x", "/"]


def test_an_error_names_the_line() -> None:
    with pytest.raises(BadIgnoreFile, match=re.escape("failed parsing .dockerignore: line 2: syntax")):
        parse(b"a\n[\n", ".dockerignore")
    with pytest.raises(BadIgnoreFile, match=re.escape('line 1: illegal exclusion pattern: "!"')):
        parse(b"! \n", ".dockerignore")


@pytest.mark.parametrize(
    ("patterns", "directory", "answer"),
    [
        ("* !src", "node_modules", False),
        ("* !src", "src", True),
        ("* !src", "src/a", True),
        ("* !a/b/c", "a/b", True),
        ("* !a/b/c", "a/bc", False),
        ("* !a/*.py", "a", True),
        ("* !a/*.py", "b", False),
        ("* !**/x", "anything", True),
        ("* !ab", "a", False),
    ],
)
def test_where_something_may_be_kept(patterns: str, directory: str, answer: bool) -> None:
    assert Ignore(patterns.split()).may_keep_below(directory) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [("a", False), ("a*", True), ("a\\*", False), ("a\\\\*", True), ("?", True), ("[", True), ("\\?", False)],
)
def test_wildcards(text: str, answer: bool) -> None:
    assert has_wildcards(text) is answer


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not component("*a" * 60 + "b").fullmatch("a" * 255)
    assert not Ignore(["**/" + "*a" * 60 + "b"]).leaves_out("a" * 255)
    assert not Ignore(["**/a/" * 30 + "b"]).leaves_out("a/" * 1000 + "a")
    assert not Ignore(["**/*a/a*/" * 30 + "**/b/**"]).leaves_out("a/" * 1000 + "a")


PART = st.text("ab.*?", min_size=1, max_size=4)
PATTERN = st.tuples(
    st.sampled_from(["", "!"]), st.lists(st.one_of(st.just("**"), PART), min_size=1, max_size=6).map("/".join)
).map("".join)
PATH = st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATTERN, max_size=4), PATH)
@example(["**a"], "ba")
@example(["a**"], "ab")
@example(["*", "!ab"], "ab/c")
def test_it_agrees_with_the_plain_rule(patterns: list[str], path: str) -> None:
    """Against one regular expression for each pattern, made as moby makes it, tried on every parent."""
    parts = path.split("/")
    if "." in parts or ".." in parts or any(not p.removeprefix("!") for p in patterns):
        return
    out = False
    for pattern in filter(None, map(cleaned, patterns)):
        matched = any(
            _naive(pattern.removeprefix("!"), "/".join(parts[:n])) for n in range(1, len(parts) + 1)
        )
        if matched:
            out = not pattern.startswith("!")
    ignore = Ignore(patterns)
    assert ignore.leaves_out(path) == out
    if not out:
        tops = ["/".join(parts[:n]) for n in range(1, len(parts))]
        assert all(not ignore.leaves_out(top) or ignore.may_keep_below(top) for top in tops)


def _naive(pattern: str, path: str) -> bool:
    if pattern.startswith("**") and not re.search(r"[*?]", pattern[2:]) and pattern[2:3] != "/":
        return path.endswith(pattern[2:])
    text = ""
    while pattern:
        if pattern.startswith("**"):
            pattern = pattern[2:].removeprefix("/")
            text += "(.*/)?" if pattern else ".*"
            continue
        text += {"*": "[^/]*", "?": "[^/]"}.get(pattern[0], re.escape(pattern[0]))
        pattern = pattern[1:]
    return re.fullmatch(text, path, re.DOTALL) is not None
