"""Stages: what comes from where, what is left out, and what later ones inherit."""

from tests.walks.building.case import Case

CASES = [
    Case(name="stage-by-name-and-number", dockerfile="""
FROM base:1 AS first
RUN mkdir /out && echo 1 > /out/a && echo 2 > /out/b
FROM base:1 AS second
COPY --from=first /out/a /x
FROM base:1
COPY --from=0 /out /y
COPY --from=second /x /z
COPY --from=FIRST /out/b /w/
"""),
    Case(name="stage-on-stage", dockerfile="""
FROM base:1 AS first
ENV A=1
WORKDIR /w
USER alice
LABEL l=1
CMD ["c"]
EXPOSE 80
RUN id > /tmp/id; pwd > /tmp/pwd
FROM first AS second
RUN echo $A > /tmp/a
FROM second
CMD ["d"]
"""),
    Case(name="stage-copy-keeps-everything", dockerfile="""
FROM base:1 AS first
RUN mkdir -p /o/d && echo x > /o/f && ln /o/f /o/g && ln -s f /o/l && chmod 4750 /o/f && chown 5:6 /o/f \\
    && chmod 1777 /o/d && chown 7:8 /o/d && mkfifo /o/p && touch -d @1000000000 /o/f && chown -h 9:9 /o/l
FROM base:1
COPY --from=first /o /copied
COPY --from=first /o/f /single
COPY --from=first /o/l /followed
COPY --from=first /o/d /directory
"""),
    Case(name="stage-copy-of-the-base-tree", dockerfile="""
FROM base:1 AS first
FROM scratch
COPY --from=first /srv /srv
COPY --from=first /srv/absolute/ /via-link/
COPY --from=first /srv/tree/to-one /followed
"""),
    Case(name="stage-copy-whole-root", dockerfile="""
FROM base:1 AS first
RUN echo x > /new && rm -rf /srv/tree/sub
FROM scratch
COPY --from=first / /
"""),
    Case(name="stage-copy-chown", dockerfile="""
FROM base:1 AS first
RUN mkdir /o && echo x > /o/f && chown 5:6 /o/f && echo only:x:500:501::/: >> /etc/passwd
FROM base:1
COPY --from=first --chown=alice:staff /o /p
COPY --from=first --chown=9 /o/f /q
"""),
    Case(name="stage-copy-name-known-only-in-source", dockerfile="""
FROM base:1 AS first
RUN echo only:x:500:501::/: >> /etc/passwd && touch /f
FROM base:1
COPY --from=first --chown=only /f /g
"""),
    Case(name="stage-copy-removed-file", dockerfile="""
FROM base:1 AS first
RUN rm /srv/suid
FROM base:1
COPY --from=first /srv/suid /x
"""),
    Case(name="stage-copy-after-whiteouts", dockerfile="""
FROM base:1 AS first
RUN rm -rf /srv/tree && mkdir /srv/tree && echo new > /srv/tree/only && rm /srv/suid
FROM base:1
COPY --from=first /srv /x
"""),
    Case(name="stage-copy-from-image", dockerfile="""
FROM scratch
COPY --from=base:1 /srv/tree /tree
COPY --from=base:1 /etc/passwd /etc/
"""),
    Case(name="stage-copy-from-unknown", dockerfile="""
FROM base:1
COPY --from=5 /x /y
"""),
    Case(name="stage-copy-from-itself", dockerfile="""
FROM base:1 AS me
COPY --from=me /srv /y
"""),
    Case(name="stage-unneeded-is-not-built", dockerfile="""
FROM base:1 AS broken
RUN exit 3
FROM base:1
RUN touch /x
""", peers=("buildkit",)),
    Case(name="stage-target", options=("--target", "second"), dockerfile="""
FROM base:1 AS first
RUN touch /1
FROM first AS second
RUN touch /2
CMD ["second"]
FROM second
RUN touch /3
CMD ["third"]
"""),
    Case(name="stage-target-by-number", options=("--target", "0"), dockerfile="""
FROM base:1
RUN touch /1
FROM base:1
RUN touch /2
"""),
    Case(name="stage-target-unknown", options=("--target", "nosuch"), dockerfile="""
FROM base:1 AS first
RUN touch /1
"""),
    Case(name="stage-same-name-twice", dockerfile="""
FROM base:1 AS x
RUN echo 1 > /f
FROM base:1 AS x
RUN echo 2 > /f
FROM base:1
COPY --from=x /f /f
"""),
    Case(name="stage-named-like-an-image", dockerfile="""
FROM base:1 AS busybox
RUN echo stage > /f
FROM busybox
RUN cat /f > /g
"""),
    Case(name="stage-scratch-metadata-only", dockerfile="""
FROM scratch
LABEL a=b
CMD ["/x"]
""", peers=("buildah",)),  # Docker cannot save an image without layers
    Case(name="stage-scratch-environment", files={"a": "1"}, dockerfile="""
FROM scratch
ENV A=1 PATH=/x:$PATH
ENV B=2
COPY a /
"""),
    Case(name="stage-scratch-environment-without-path", files={"a": "1"}, dockerfile="""
FROM scratch
ENV A=1
COPY a /
"""),
    Case(name="stage-name-bad", dockerfile="""
FROM base:1 AS 1st
RUN touch /1
"""),
    Case(name="stage-wildcard-copy", dockerfile="""
FROM base:1 AS first
RUN mkdir -p /o/d1 /o/d2 && touch /o/a.txt /o/b.txt /o/c.bin /o/d1/x.txt /o/d2/y.txt
FROM base:1
COPY --from=first /o/*.txt /flat/
COPY --from=first /o/d*/*.txt /deep/
COPY --from=first /o/d? /dirs/
"""),
    Case(name="stage-copy-relative-source-is-rooted", dockerfile="""
FROM base:1 AS first
WORKDIR /w
RUN echo w > f && echo root > /f
FROM base:1
COPY --from=first f /g
"""),
    Case(name="stage-ignore-file-is-for-the-context-only",
        files={".dockerignore": "secret\n", "secret": "s", "b": "1"}, dockerfile="""
FROM base:1 AS first
RUN mkdir /o && echo 1 > /o/secret && echo 2 > /o/b && echo 3 > /secret
FROM base:1
COPY --from=first /o /x
COPY --from=first /secret /y
COPY . /z
"""),
    Case(name="stage-hard-links-across-directories", dockerfile="""
FROM base:1 AS first
RUN mkdir -p /o/a /o/b && echo x > /o/a/f && ln /o/a/f /o/b/g && ln /o/a/f /o/a/h
FROM base:1
COPY --from=first /o /x
COPY --from=first /o/a /o/b /merged/
"""),
    Case(name="stage-parent-changes-are-kept-apart", dockerfile="""
FROM base:1 AS first
RUN echo 1 > /a
FROM first AS left
RUN echo left > /b && rm /a
FROM first AS right
RUN echo right > /b
FROM first
COPY --from=left /b /left
COPY --from=right /b /right
"""),
]  # fmt: skip
