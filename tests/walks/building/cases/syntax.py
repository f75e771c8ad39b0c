"""How a file becomes instructions: directives, comments, continuations, JSON and shell forms."""

from tests.walks.building.case import Case

CASES = [
    Case(name="case-of-instructions", dockerfile="""
from base:1
env A=1
Run echo $A > /seen
Cmd ["x"]
"""),
    Case(name="comments-within-continuations", dockerfile=r"""
# comment

FROM base:1
  # indented
RUN echo a > /a \
  # within
  && echo b > /b \
# at the margin
  && echo "# no comment" > /c
"""),
    Case(name="escape-directive", files={"a": "1"}, dockerfile=r"""
# escape=`
FROM base:1
ENV A=a`
 B=b`$C D=x\y
RUN echo one `
  two > /seen
COPY a `
  /d/
"""),
    Case(name="continuation-with-blanks-after", dockerfile=(
        'FROM base:1\n'
        'RUN echo a  \\  \n'
        '   b \\\t\n'
        '\tc > /seen\n'
    )),
    Case(name="continuation-with-empty-lines", dockerfile=r"""
FROM base:1
RUN echo a \

  b \


  c > /seen
"""),
    Case(name="continuation-at-the-end-of-the-file", dockerfile=r"""
FROM base:1
RUN echo a > /seen \
"""),
    Case(name="windows-line-ends", dockerfile=(
        'FROM base:1\r\n'
        'ENV A=1\r\n'
        'RUN echo a > /seen && \\\r\n'
        '  echo b >> /seen\r\n'
        'CMD ["x"]\r\n'
    )),
    Case(name="byte-order-mark", dockerfile='\ufeffFROM base:1\nENV A=1\n'),
    Case(name="json-forms", files={"a b": "1", "c": "2"}, dockerfile=r"""
FROM base:1
RUN ["sh", "-c", "echo $0 > /seen", "zero"]
COPY ["a b", "c", "/d e/"]
VOLUME ["/v 1", "/v2"]
CMD ["a", "b\tc", "\u00e9"]
"""),
    Case(name="broken-json-is-shell", dockerfile="""
FROM base:1
CMD ['echo', 'a']
ENTRYPOINT [ "x", ]
RUN [ "$HOME" = /root ] ; echo $? > /seen
"""),
    Case(name="json-with-blanks", dockerfile=(
        'FROM base:1\n'
        'CMD   [  "a"  ,"b"  ]  \n'
        'ENTRYPOINT ["x"]\n'
    )),
    Case(name="empty-json", dockerfile="""
FROM base:1
CMD []
ENTRYPOINT []
"""),
    Case(name="unknown-instruction", dockerfile="""
FROM base:1
RUNN x
"""),
    Case(name="unknown-flag", files={"a": "1"}, dockerfile="""
FROM base:1
COPY --chwon=1 a /
"""),
    Case(name="no-from", dockerfile="""
RUN echo a
"""),
    Case(name="env-without-value", dockerfile="""
FROM base:1
ENV A
"""),
    Case(name="copy-without-destination", files={"a": "1"}, dockerfile="""
FROM base:1
COPY a
"""),
    Case(name="run-long-script", dockerfile=r"""
FROM base:1
RUN set -e; \
    for x in a b c; do \
        echo "$x" >> /seen; \
    done; \
    if [ -e /seen ]; then \
        mkdir -p /made/deep; \
    fi
"""),
    Case(name="run-with-quotes-and-backslashes", dockerfile=r"""
FROM base:1
RUN printf '%s\n' "a \"b\"" 'c\d' "e\\f" > /seen
RUN echo 'one \
 two' > /lines
"""),
    Case(name="leading-blanks", dockerfile='   FROM base:1\n\tRUN echo a \\\n\t\tb > /seen\n'),
]  # fmt: skip
