"""ARG and ENV: who sees what, in which form, and what becomes of quotes."""

from tests.walks.building.case import Case

CASES = [
    Case(name="arg-before-from-names-the-base", dockerfile="""
ARG TAG=1
ARG NAME=base
FROM $NAME:${TAG}
RUN echo "[$TAG]" > /seen
"""),
    Case(name="arg-before-from-seen-after-declaration", dockerfile="""
ARG A=global
ARG B=other
FROM base:1
ARG A
RUN echo "$A [$B]" > /seen
LABEL a=$A b=$B
"""),
    Case(name="arg-default-in-stage-beats-global-default", dockerfile="""
ARG A=global
FROM base:1
ARG A=stage
RUN echo $A > /seen
"""),
    Case(name="build-arg-beats-all-defaults", arguments={"A": "given"}, dockerfile="""
ARG A=global
FROM base:1
ARG A=stage
RUN echo $A > /seen
ENV E=$A
"""),
    Case(name="build-arg-beats-global-default-of-bare-arg", arguments={"A": "given"}, dockerfile="""
ARG A=global
FROM base:1
ARG A
RUN echo $A > /seen
"""),
    Case(name="arg-empty-build-arg", arguments={"A": ""}, dockerfile="""
FROM base:1
ARG A=default
RUN echo "[$A]${A-unset}" > /seen
ENV E="${A:-fallback}"
"""),
    Case(name="arg-undeclared-has-no-value", dockerfile="""
FROM base:1
ARG A
RUN echo "[${A-unset}]" > /seen
ENV E="x${A}x"
"""),
    Case(name="arg-out-of-scope-before-its-line", dockerfile="""
FROM base:1
ENV BEFORE="x${A}"
ARG A=1
ENV AFTER="x${A}"
"""),
    Case(name="arg-not-seen-by-sibling-stages", dockerfile="""
FROM base:1 AS one
ARG A=1
RUN echo "[$A]" > /one
FROM base:1
COPY --from=one /one /one
RUN echo "[$A]" > /two
ENV E="[$A]"
"""),
    Case(name="arg-inherited-from-parent-stage", dockerfile="""
FROM base:1 AS one
ARG A=1
FROM one
RUN echo "[$A]" > /two
ENV E="[$A]"
"""),
    Case(name="env-after-arg-hides-it", arguments={"A": "given"}, dockerfile="""
FROM base:1
ARG A=arg
ENV A=env
RUN echo $A > /seen
LABEL a=$A
"""),
    Case(name="arg-after-env-of-the-same-name", dockerfile="""
FROM base:1
ENV A=env
ARG A=arg
RUN echo $A > /seen
LABEL a=$A
"""),
    Case(name="arg-default-from-earlier-arg-and-env", dockerfile="""
ARG V=3
ARG W=v$V
FROM base:1
ARG W
ENV E=e
ARG X=${W}-${E}
ARG Y="$X y"
RUN echo "$Y" > /seen
"""),
    Case(name="several-args-on-one-line", arguments={"B": "two"}, peers=("buildkit",), dockerfile="""
FROM base:1
ARG A=1 B C="3 3"
RUN echo "$A [$B] $C" > /seen
"""),
    Case(name="env-on-one-line-sees-the-line-before", dockerfile="""
FROM base:1
ENV A=old
ENV A=new B=$A
ENV C=$A
RUN echo "$A $B $C" > /seen
"""),
    Case(name="env-legacy-form", dockerfile=r"""
FROM base:1
ENV A some value  with   blanks
ENV B "quoted" 'too'
ENV C a\ b
RUN env | grep '^[ABC]=' | sort > /seen
"""),
    Case(name="env-quoting", dockerfile=r"""
FROM base:1
ENV A="two words" B='single $A' C=back\ slash D="a\"b" E="a\$b" F='a\b' G="a\b" H=x"y z"'w'
ENV I= J="" K=''
RUN env | grep '^[A-K]=' | sort > /seen
"""),
    Case(name="env-replaced-keeps-its-place", dockerfile="""
FROM base:1
ENV A=1 B=2
ENV PATH=/x:$PATH
ENV A=3
RUN /bin/busybox env | /bin/busybox grep '^[AB]=' > /seen
"""),
    Case(name="expansion-defaults-and-alternatives", dockerfile="""
FROM base:1
ENV SET=v EMPTY=
ENV A=${SET:-d} B=${EMPTY:-d} C=${UNSET:-d} D=${SET:+w} E=${EMPTY:+w}. F=${UNSET:+w}.
"""),
    Case(name="expansion-defaults-without-colon", peers=("buildkit",), dockerfile="""
FROM base:1
ENV SET=v EMPTY=
ENV A=${SET-d} B=${EMPTY-d}. C=${UNSET-d} D=${SET+w} E=${EMPTY+w}. F=${UNSET+w}.
"""),
    Case(name="expansion-nested-words", dockerfile="""
FROM base:1
ENV A=a
ENV B=${X:-${Y:-$A}} C=${A:+pre$A-${X:-"q r"}} D="${X:-it's}"
"""),
    Case(name="expansion-required-and-there", dockerfile="""
FROM base:1
ENV A=a
ENV B=${A:?needed}
"""),
    Case(name="expansion-required-and-missing", dockerfile="""
FROM base:1
ENV B=${A:?needed}
"""),
    Case(name="expansion-bad-substitution", dockerfile="""
FROM base:1
ENV B=${A!x}
"""),
    Case(name="expansion-unterminated", dockerfile="""
FROM base:1
ENV B=${A
"""),
    Case(name="expansion-escapes", dockerfile=r"""
FROM base:1
ENV A=a
ENV B=\$A C="\$A" D='$A' E=\\$A F=$A$A G=${A}b H=$A.b I=$ J=a$
"""),
    Case(name="expansion-in-every-instruction", files={"file": "text"}, dockerfile="""
FROM base:1
ENV D=/dir F=file U=alice P=80 S=SIGUSR1 L=key
WORKDIR $D
COPY ${F} $D/${F}-copy
ADD $F $D/
USER ${U}
EXPOSE $P ${P}1/udp
VOLUME ["$D/v", "/${F}"]
LABEL $L=$U "quoted $L"="${U} x"
STOPSIGNAL $S
RUN echo "$D" > /tmp/seen
"""),
    Case(name="no-expansion-in-cmd-and-entrypoint", dockerfile="""
FROM base:1
ENV A=a
ENTRYPOINT ["echo", "$A"]
CMD ["${A}", "b"]
HEALTHCHECK CMD echo $A
"""),
    Case(name="run-sees-shell-variables-of-its-own", dockerfile=r"""
FROM base:1
ENV A=a
RUN A=b; echo $A ${A:-x} "$(echo $A)" '$A' \$A > /seen
"""),
    Case(name="run-env-is-image-env-and-args", dockerfile="""
FROM base:1
ARG A=1
ENV B=2
RUN env | grep -vE '^(PWD|HOSTNAME|SHLVL|HOME|container|OLDPWD)=' | sort > /seen
"""),
    Case(name="proxy-arguments-need-no-declaration",
        arguments={"HTTP_PROXY": "http://127.0.0.1:9", "no_proxy": "localhost"}, dockerfile="""
FROM base:1
RUN echo "$HTTP_PROXY $no_proxy" > /seen
"""),
    Case(name="arg-with-quotes-and-spaces", dockerfile=r"""
FROM base:1
ARG A="two words"
ARG B='single $A'
ARG C=x\ y
RUN echo "$A|$B|$C" > /seen
"""),
    Case(name="platform-arguments", peers=("buildkit", "buildah"), dockerfile="""
FROM base:1
ARG TARGETPLATFORM
ARG TARGETARCH
ARG TARGETOS
RUN echo $TARGETPLATFORM $TARGETOS $TARGETARCH > /seen
"""),
    Case(name="label-forms", dockerfile=r"""
FROM base:1
LABEL a=1 b="two words" c='three' "d e"=4
LABEL multi="line \
next" \
    last=1
LABEL a=2
LABEL legacy value with blanks
LABEL empty=
"""),
    Case(name="env-multi-line", dockerfile=r"""
FROM base:1
ENV A=1 \
    B=2 \
# a comment between

    C="3 \
  4"
"""),
    Case(name="env-names-of-odd-characters", dockerfile="""
FROM base:1
ENV a.b=1 A-B=2 _x=3 9=4
ENV Y="$_x$9."
"""),
    Case(name="copy-source-with-unset-variable", files={"a": "1"}, dockerfile="""
FROM base:1
COPY a${UNSET} /x${UNSET}/
"""),
]  # fmt: skip
