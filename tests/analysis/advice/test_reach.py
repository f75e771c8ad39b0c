"""Which paths the words of a RUN may mean."""

from __future__ import annotations

import pytest
from tests.analysis.advice.made import step, waste

from millefeuille.analysis.advice.reach import directories, may_mean, rows
from millefeuille.testing.rawtars import directory, file, symlink

BASE = step("RUN base", directory(b"usr"), directory(b"usr/bin"), symlink(b"bin", b"usr/bin"))
LINKS = step("RUN links", symlink(b"a", b"/b"), symlink(b"b", b"a"), symlink(b"app", b"usr/../srv"))


def means(text: str, path: str, *before: str) -> bool:
    lines = [(line, ()) for line in before]
    made = waste(("FROM scratch", ()), BASE, LINKS, *lines, step(f"RUN {text}", file(b"x", b"x")))
    return may_mean(made, len(made.script) - 1, [path])


@pytest.mark.parametrize("text", [
    "rm /d/a", "rm -r /d", "ls /", "ls /d/a/b", "cp /x /d/a", "echo x >/d/a", "dd of=/d/a", "make -C/d",
    "tar -C /d -xf x", "rm /d/*", "rm /d/[ab]", "rm /*/a", "rm /d/{a,b}", "rm '/d/a'", 'rm "/d"/a',
    "cd /d && rm a", "cd / && cd d && rm ./a", "(cd /d; rm a)", "if true; then rm /d/a; fi", "rm $NONE",
    "rm ${X:-/d/a}", "rm ~/a", "rm `cat l`", "for f in /d/*; do rm $f; done", "rm d/a", "rm $D", "rm ${D}/a",
    "rm /usr/../d/a", "sh -c 'cd /d; rm a'", "F=/d; true", "ls .", "ls", "rm \\\n  /d/a",
])  # fmt: skip
def test_what_may_be_meant(text: str) -> None:
    # `ls` and its like are for `passing`: their place is no word.
    assert means(text, "/d/a", "ENV D=/d", "WORKDIR /") == (text != "ls")


@pytest.mark.parametrize("text", [
    "rm /d/b", "rm /da", "rm -rf /e/*", "echo e >&2", "yes /big | head -c 5 > /big", "make -j4 all",
    "wget https://example.com/d/a", "rm $D/b", "for i in 1 2; do echo $i > /n$i; done", "[ -f /x ]; echo $?",
    "echo app:x:9:9::/:/bin/sh >> /etc/passwd", "# of /d/a\ntrue", "cd /e && rm -r a",
])  # fmt: skip
def test_what_is_not(text: str) -> None:
    assert not means(text, "/d/a", "ENV D=/d", "WORKDIR /")


def test_links_are_followed() -> None:
    assert means("touch /bin/tool", "/usr/bin/tool")
    assert means("chmod -R 700 /app", "/srv/file")
    assert not means("touch /bin/tool /a/b", "/bin2/tool")


def test_paths_of_other_words_are_not_told_apart() -> None:
    assert means("true", "/with a blank")


def test_where_commands_are_run() -> None:
    def places(text: str, *before: str) -> tuple[str, ...] | None:
        made = waste(("FROM base", ()), *((line, ()) for line in before), (f"RUN {text}", ()))
        return directories(made, len(made.script) - 1)

    assert places("make", "WORKDIR /s") == ("/s",)
    assert places("cd a && cd /b", "WORKDIR /s") == ("/s", "/s/a", "/b")
    assert places("make && cd -", "WORKDIR /s") is None
    assert places("cd $X", "WORKDIR /s") is None
    assert places("cd /x && make", "WORKDIR s") == ("/x",)
    assert places("make && cd /x", "WORKDIR s") is None
    assert places("(cd /x); make", "WORKDIR s") is None


def test_the_names_of_tools() -> None:
    text = "A=b make -j; if [ -e x ]; then /bin/rm x 2>&1; fi; for f in a; do { cat $f; }; done"
    assert [row[0] for row in rows(text)] == ["make", "[", "rm", "for", "cat"]
