"""Here-documents, and the forms of expansion that only newer frontends have."""

from tests.walks.building.expectation import Expected

CASES = [
    Expected(name="document-is-a-file", dockerfile="""
FROM scratch
COPY <<EOF /etc/motd
hello
  indented

# not a comment
FROM nothing
EOF
""", tree="""
d 755 0:0 /etc
f 644 0:0 /etc/motd "hello\\n  indented\\n\\n# not a comment\\nFROM nothing\\n"
"""),
    Expected(name="document-expands-variables", dockerfile="""
FROM scratch
ARG A=a
ENV B="b c"
COPY <<EOF /1
$A ${B:-x} "${A}" '$A' \\$A ${C:-none}$
EOF
COPY <<"EOF" /2
$A ${B} \\$A
EOF
COPY <<'EOF' /3
$A
EOF
""", tree="""
f 644 0:0 /1 "a b c \\"a\\" 'a' $A none$\\n"
f 644 0:0 /2 "$A ${B} \\\\$A\\n"
f 644 0:0 /3 "$A\\n"
"""),
    Expected(name="documents-named-by-their-delimiters", files={"f": "file"}, dockerfile="""
FROM scratch
COPY <<one <<two.txt f /d/
1
one
2
two.txt
""", tree="""
d 755 0:0 /d
f 644 0:0 /d/f "file"
f 644 0:0 /d/one "1\\n"
f 644 0:0 /d/two.txt "2\\n"
"""),
    Expected(name="document-without-leading-tabs", dockerfile="""
FROM scratch
COPY <<-EOF /x
\tone
\t\ttwo
  three
\tEOF
""", tree="""
f 644 0:0 /x "one\\ntwo\\n  three\\n"
"""),
    Expected(name="document-with-mode-and-owner", dockerfile="""
FROM base:1
COPY --chmod=755 --chown=alice:staff <<EOF /usr/bin/tool
#!/bin/sh
EOF
ADD --chown=7 <<EOF /y
added
EOF
""", tree="""
f 755 1000:50 /usr/bin/tool "#!/bin/sh\\n"
f 644 7:7 /y "added\\n"
"""),
    Expected(name="document-empty", dockerfile="""
FROM scratch
COPY <<EOF /x
EOF
""", tree="""
f 644 0:0 /x ""
"""),
    Expected(name="document-without-end", fails="unterminated heredoc", dockerfile="""
FROM scratch
COPY <<EOF /x
text
"""),
    Expected(name="run-document-is-a-script", dockerfile="""
FROM base:1
ENV V=env
RUN <<EOF
set -e
for x in 1 2; do
  echo "$x $V" >> /seen
done
EOF
""", tree="""
f 644 0:0 /seen "1 env\\n2 env\\n"
"""),
    Expected(name="run-document-with-its-own-interpreter", dockerfile="""
FROM base:1
RUN <<EOF
#!/bin/awk -f
BEGIN { print 6 * 7 > "/seen" }
EOF
""", tree="""
f 644 0:0 /seen "42\\n"
"""),
    Expected(name="run-document-for-a-command", dockerfile="""
FROM base:1
RUN cat <<EOF > /a
one $PATH
EOF
RUN sh <<'EOF'
echo two > /b
EOF
""", tree="""
f 644 0:0 /a "one /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\\n"
f 644 0:0 /b "two\\n"
"""),
    Expected(name="run-documents-two", dockerfile="""
FROM base:1
RUN <<A cat > /a && <<B cat > /b
one
A
two
B
""", tree="""
f 644 0:0 /a "one\\n"
f 644 0:0 /b "two\\n"
"""),
    Expected(name="run-document-without-leading-tabs", dockerfile="""
FROM base:1
RUN <<-EOF
\techo a > /a
\tcat <<X > /b
\t\tin
X
\tEOF
""", tree="""
f 644 0:0 /a "a\\n"
f 644 0:0 /b "in\\n"
"""),
    Expected(name="run-document-fails", fails="exit code: 3", dockerfile="""
FROM base:1
RUN <<EOF
exit 3
EOF
"""),
    Expected(name="run-document-in-another-shell", dockerfile="""
FROM base:1
SHELL ["/bin/sh", "-e", "-c"]
RUN <<EOF
false
touch /never
EOF
""", fails="exit code: 1"),
    Expected(name="trigger-with-document", dockerfile="""
FROM base:1 AS one
ONBUILD RUN <<EOF
echo triggered > /seen
EOF
ONBUILD COPY <<EOF /doc
text
EOF
FROM one
""", tree="""
f 644 0:0 /doc "text\\n"
f 644 0:0 /seen "triggered\\n"
"""),
    Expected(name="expansion-strips-prefixes", dockerfile="""
FROM scratch
ARG F=foobarbaz
ENV A=${F#*b} B=${F##*b} C=${F#foo} D=${F#bar} E=${F#f??b} G=${F#} H="${F##*}."
""", config={"Env": ["A=arbaz", "B=az", "C=barbaz", "D=foobarbaz", "E=arbaz", "G=foobarbaz", "H=."]}),
    Expected(name="expansion-strips-suffixes", dockerfile="""
FROM scratch
ARG F=archive.tar.gz
ENV A=${F%.*} B=${F%%.*} C=${F%gz} D=${F%x} E=${F%.t?r.*}
""", config={"Env": ["A=archive.tar", "B=archive", "C=archive.tar.", "D=archive.tar.gz", "E=archive"]}),
    Expected(name="expansion-replaces", dockerfile="""
FROM scratch
ARG F=foobarbaz
ENV A=${F/ba/x} B=${F//ba/x} C=${F/o*b/-} D=${F//?a/..} E=${F/q/w} G=${F//o/} H=${F/bar/${F%baz}}
""", config={
        "Env": ["A=fooxrbaz", "B=fooxrxz", "C=f-az", "D=foo..r..z", "E=foobarbaz", "G=fbarbaz",
                "H=foofoobarbaz"],
    }),
    Expected(name="expansion-protects-characters", dockerfile="""
FROM scratch
ARG F=a*b/c}d
ENV A=${F#a\\*} B=${F/\\//-} C=${F%\\}d} D="${F//\\*/star}"
""", config={"Env": ["A=b/c}d", "B=a*b-c}d", "C=a*b/c", "D=astarb/c}d"]}),
    Expected(name="expansion-in-paths", files={"app-1.2.tar": "x"}, dockerfile="""
FROM scratch
ARG V=v1.2-rc
ARG N=app-${V#v}.tar
COPY ${N/-rc/} /${V%%-*}/${N%.tar}
""", tree="""
d 755 0:0 /v1.2
f 644 0:0 /v1.2/app-1.2-rc "x"
"""),
    Expected(name="expansion-without-colon", dockerfile="""
FROM scratch
ENV EMPTY=
ENV A=${EMPTY-d}. B=${UNSET-d} C=${EMPTY+w} D=${UNSET+w}. E=${EMPTY:-d} F=${EMPTY:+w}.
""", config={"Env": ["EMPTY=", "A=.", "B=d", "C=w", "D=.", "E=d", "F=."]}),
    Expected(name="expansion-required", fails="V: say which", dockerfile="""
FROM scratch
ARG V
ENV A="${V:?say which}"
"""),
    Expected(name="arguments-on-one-line", arguments={"B": "given"}, dockerfile="""
FROM scratch
ARG A=1 B=2 C=$A D
LABEL all="$A $B $C ${D:-none}"
""", config={"Labels": {"all": "1 given  none"}}),
    Expected(name="argument-of-the-stage", options=("--target", "two"), dockerfile="""
FROM scratch AS one
FROM one AS two
ARG TARGETSTAGE
LABEL stage=$TARGETSTAGE
""", config={"Labels": {"stage": "two"}}),
    Expected(name="healthcheck-with-start-interval", dockerfile="""
FROM scratch
HEALTHCHECK --start-interval=2s --start-period=1m CMD ["x"]
""", config={
        "Healthcheck": {"Test": ["CMD", "x"], "StartPeriod": 60_000_000_000, "StartInterval": 2_000_000_000},
    }),
]  # fmt: skip
