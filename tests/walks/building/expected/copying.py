"""COPY with the flags of newer frontends: --parents, --exclude, --link, and symbolic modes."""

from tests.walks.building.context import File, Files, Folder, Link
from tests.walks.building.expectation import Expected

TREE: Files = {
    "a/b/c.txt": "c", "a/b/d.md": "d", "a/e.txt": "e", "f.txt": "f", "a/x/y/z.txt": "z",
}  # fmt: skip
MODES: Files = {
    "t": Folder(0o700), "t/tool": File("", mode=0o744), "t/text": File("", mode=0o600),
    "t/sub": Folder(0o750), "t/sub/f": "",
}  # fmt: skip

CASES = [
    Expected(name="parents-of-a-file", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/b/c.txt /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
d 755 0:0 /x/a/b
f 644 0:0 /x/a/b/c.txt "c"
"""),
    Expected(name="parents-of-a-directory", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/b /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
d 755 0:0 /x/a/b
f 644 0:0 /x/a/b/c.txt "c"
f 644 0:0 /x/a/b/d.md "d"
"""),
    Expected(name="parents-of-several", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/e.txt f.txt ./a/x /
""", tree="""
d 755 0:0 /a
f 644 0:0 /a/e.txt "e"
d 755 0:0 /a/x
d 755 0:0 /a/x/y
f 644 0:0 /a/x/y/z.txt "z"
f 644 0:0 /f.txt "f"
"""),
    Expected(name="parents-with-pivot", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/./b/c.txt a/x/./y /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/b
f 644 0:0 /x/b/c.txt "c"
d 755 0:0 /x/y
f 644 0:0 /x/y/z.txt "z"
"""),
    Expected(name="parents-with-wildcard", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/*/*.txt /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
d 755 0:0 /x/a/b
f 644 0:0 /x/a/b/c.txt "c"
"""),
    Expected(name="parents-with-double-star", files=TREE, dockerfile="""
FROM scratch
COPY --parents **/*.txt /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
d 755 0:0 /x/a/b
f 644 0:0 /x/a/b/c.txt "c"
f 644 0:0 /x/a/e.txt "e"
d 755 0:0 /x/a/x
d 755 0:0 /x/a/x/y
f 644 0:0 /x/a/x/y/z.txt "z"
f 644 0:0 /x/f.txt "f"
"""),
    Expected(name="parents-with-double-star-after-pivot", files=TREE, dockerfile="""
FROM scratch
COPY --parents a/./**/*.txt /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/b
f 644 0:0 /x/b/c.txt "c"
f 644 0:0 /x/e.txt "e"
d 755 0:0 /x/x
d 755 0:0 /x/x/y
f 644 0:0 /x/x/y/z.txt "z"
"""),
    Expected(name="parents-missing", files=TREE, fails="not found", dockerfile="""
FROM scratch
COPY --parents a/nosuch.txt /x/
"""),
    Expected(name="parents-excluding", files=TREE, dockerfile="""
FROM scratch
COPY --parents --exclude=**/*.md --exclude=a/x a /x/
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
d 755 0:0 /x/a/b
f 644 0:0 /x/a/b/c.txt "c"
f 644 0:0 /x/a/e.txt "e"
"""),
    Expected(name="parents-from-a-stage-with-owner", files=TREE, dockerfile="""
FROM scratch AS one
COPY . /src/
FROM scratch
COPY --from=one --parents --chown=5:6 /src/./a/b/d.md /x/
""", tree="""
d 755 5:6 /x
d 755 5:6 /x/a
d 755 5:6 /x/a/b
f 644 5:6 /x/a/b/d.md "d"
"""),
    Expected(name="exclude-names-and-wildcards", files=TREE, dockerfile="""
FROM scratch
COPY --exclude=*.md --exclude=x a/b /1/
COPY --exclude=*.md --exclude=x a /2/
""", tree="""
d 755 0:0 /1
f 644 0:0 /1/c.txt "c"
d 755 0:0 /2
d 755 0:0 /2/b
f 644 0:0 /2/b/c.txt "c"
f 644 0:0 /2/b/d.md "d"
f 644 0:0 /2/e.txt "e"
"""),
    Expected(name="exclude-at-any-depth", files=TREE, dockerfile="""
FROM scratch
COPY --exclude=**/*.txt a /x
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/b
f 644 0:0 /x/b/d.md "d"
d 755 0:0 /x/x
d 755 0:0 /x/x/y
"""),
    Expected(name="exclude-with-exception", files=TREE, dockerfile="""
FROM scratch
COPY --exclude=b/* --exclude=!b/c.txt --exclude=x a /x
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/b
f 644 0:0 /x/b/c.txt "c"
f 644 0:0 /x/e.txt "e"
"""),
    Expected(name="exclude-from-a-stage", files=TREE, dockerfile="""
FROM scratch AS one
COPY a /s/a
COPY f.txt /s/
FROM scratch
COPY --from=one --exclude=a/b --exclude=f.* /s /x
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/a
f 644 0:0 /x/a/e.txt "e"
d 755 0:0 /x/a/x
d 755 0:0 /x/a/x/y
f 644 0:0 /x/a/x/y/z.txt "z"
"""),
    Expected(name="exclude-of-several-sources",
        files={"p/a.md": "1", "p/b": "2", "q/a.md": "3", "q/c": "4"}, dockerfile="""
FROM scratch
COPY --exclude=a.md p q /x/
""", tree="""
d 755 0:0 /x
f 644 0:0 /x/b "2"
f 644 0:0 /x/c "4"
"""),
    Expected(name="exclude-with-add", files=TREE, dockerfile="""
FROM scratch
ADD --exclude=b --exclude=x a /x/
""", tree="""
d 755 0:0 /x
f 644 0:0 /x/e.txt "e"
"""),
    Expected(name="link-does-not-follow-links-of-the-parent", files=TREE, dockerfile="""
FROM base:1
COPY --link f.txt /srv/absolute/f
""", tree="""
d 755 0:0 /srv/absolute
f 644 0:0 /srv/absolute/f "f"
"""),
    Expected(name="link-over-what-is-there",
        files={"one": File("changed", mode=0o600), "d/two": "2"}, dockerfile="""
FROM base:1
COPY --link d/ /srv/tree/sub/
COPY --link --chown=5:6 one /srv/tree/
""", tree="""
d 755 5:6 /srv
d 755 5:6 /srv/tree
f 600 5:6 /srv/tree/one "changed"
d 755 0:0 /srv/tree/sub
f 644 0:0 /srv/tree/sub/two "2"
"""),
    Expected(name="link-of-a-directory-from-a-stage", files=TREE, dockerfile="""
FROM scratch AS one
COPY a/b /o
FROM scratch
COPY --link --from=one /o /x/y
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/y
f 644 0:0 /x/y/c.txt "c"
f 644 0:0 /x/y/d.md "d"
"""),
    Expected(name="chmod-symbolic-with-capital-x", files=MODES, dockerfile="""
FROM scratch
COPY --chmod=u=rwX,go=rX t /t/
""", tree="""
d 755 0:0 /t
d 755 0:0 /t/sub
f 644 0:0 /t/sub/f ""
f 644 0:0 /t/text ""
f 755 0:0 /t/tool ""
"""),
    Expected(name="chmod-symbolic-plus", files=MODES, dockerfile="""
FROM scratch
COPY --chmod=+x t/text /1
COPY --chmod=g+w,o-r t/sub/f /2
COPY --chmod=g=u t/tool /3
""", tree="""
f 711 0:0 /1 ""
f 660 0:0 /2 ""
f 774 0:0 /3 ""
"""),
    Expected(name="chmod-symbolic-special-bits", files=MODES, dockerfile="""
FROM scratch
COPY --chmod=u+s,g+s t/tool /1
COPY --chmod=o= t/sub/f /2
COPY --chmod=a=r t/tool /3
COPY --chmod=ugo-rwx,u+rw t/tool /4
""", tree="""
f 6744 0:0 /1 ""
f 640 0:0 /2 ""
f 444 0:0 /3 ""
f 600 0:0 /4 ""
"""),
    Expected(name="chmod-from-a-variable", files=MODES, dockerfile="""
FROM scratch
ARG MODE=0711
COPY --chmod=$MODE t/text /deep/er/1
""", tree="""
d 711 0:0 /deep
d 711 0:0 /deep/er
f 711 0:0 /deep/er/1 ""
"""),
    Expected(name="chmod-symbolic-nonsense", files=MODES, fails="invalid chmod parameter", dockerfile="""
FROM scratch
COPY --chmod=u=q t/text /1
"""),
    Expected(name="chmod-too-large", files=MODES, fails="invalid chmod parameter", dockerfile="""
FROM scratch
COPY --chmod=17777 t/text /1
"""),
    Expected(name="chown-of-an-unknown-name", files=MODES, fails="nosuch", dockerfile="""
FROM base:1
COPY --chown=nosuch t/text /1
"""),
    Expected(name="from-with-a-variable",
        files=MODES, fails="variable expansion is not supported for --from", dockerfile="""
FROM scratch AS one
FROM scratch
ARG S=one
COPY --from=$S / /
"""),
    Expected(name="copy-from-a-named-context",
        files={"other/a": "1", "other/.dockerignore": "b", "other/b": "2"},
        options=("--build-context", "more={context}/other"), dockerfile="""
FROM scratch
COPY --from=more . /x
""", tree="""
d 755 0:0 /x
f 644 0:0 /x/.dockerignore "b"
f 644 0:0 /x/a "1"
"""),
    Expected(name="copy-link-in-the-middle-of-a-source",
        files={"d/real/f": "1", "d/l": Link("real")}, dockerfile="""
FROM scratch
COPY --parents d/real/f /x/
COPY d/l/f /y
""", tree="""
d 755 0:0 /x
d 755 0:0 /x/d
d 755 0:0 /x/d/real
f 644 0:0 /x/d/real/f "1"
f 644 0:0 /y "1"
"""),
]  # fmt: skip
