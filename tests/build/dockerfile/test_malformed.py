"""Files that break a rule: each is an error that names the line, never anything else."""

from __future__ import annotations

import pytest

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.parser import parse

F = "FROM x\n"
ONE = "requires exactly one argument"
SOME = "requires at least one argument"
TWO = "requires at least two arguments, but only one was provided. Destination could not be determined"
STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"
CHAIN = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
BLANK = "names can not be blank"
FROM_ARGUMENTS = "FROM requires either one or three arguments"
NO_VARIABLE = (
    "variable expansion is not supported for --from,"
    " define a new stage with FROM using ARG from global scope as a workaround"
)
MOUNT_FROM = "'from' doesn't support variable expansion, define alias stage instead"


def stage_name(name: str) -> str:
    return f'invalid name for build stage: "{name}", name can\'t start with a number or contain symbols'


def no_equals(word: str) -> str:
    return f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'


# The text of a file, and what the error says: the line (0: none), the message, the suggestion.
FILES: list[tuple[str | bytes, int, str, str]] = [
    # the file as a whole
    ("", 0, "the Dockerfile cannot be empty", ""),
    (b"\xef\xbb\xbf", 0, "file with no instructions", ""),
    ("\n", 0, "file with no instructions", ""),
    (" \t\n\n", 0, "file with no instructions", ""),
    ("# only a comment", 0, "file with no instructions", ""),
    ("\\\n\n", 0, "file with no instructions", ""),
    ("ARG A", 0, "dockerfile contains no stages to build", ""),
    ("ARG A\nARG B=1\n", 0, "dockerfile contains no stages to build", ""),
    ("RUN a", 1, "no build stage in current context", ""),
    ("ARG A\n\nRUN a\nFROM x", 3, "no build stage in current context", ""),
    ("ENV a=b\nFROM x", 1, "no build stage in current context", ""),
    # directives
    ("# escape=\\\n# escape=\\\nFROM x", 2, "only one escape parser directive can be used", ""),
    ("# check=skip=all\n# CHECK=skip=all\nFROM x", 2, "only one check parser directive can be used", ""),
    (
        "# syntax=docker/dockerfile\n# Syntax=docker/dockerfile\nFROM x",
        2,
        "only one syntax parser directive can be used",
        "",
    ),
    ("# escape=x\nFROM x", 1, "invalid escape token 'x' does not match ` or \\", ""),
    ("# escape=\\\\\nFROM x", 1, "invalid escape token '\\\\' does not match ` or \\", ""),
    ("# check=\n# escape=``\nFROM x\nRUNN", 4, "unknown instruction: RUNN", "RUN"),
    # unknown instructions
    (F + "RUNN a", 2, "unknown instruction: RUNN", "RUN"),
    (F + "\n\n  cpoy a b", 4, "unknown instruction: cpoy", "COPY"),
    (F + "FORM y", 2, "unknown instruction: FORM", "FROM"),
    ("FRM x", 1, "unknown instruction: FRM", "FROM"),
    (F + "EXPOS 80", 2, "unknown instruction: EXPOS", "EXPOSE"),
    (F + "INCLUDE other", 2, "unknown instruction: INCLUDE", ""),
    (F + "echo hello", 2, "unknown instruction: echo", ""),
    (F + "RUN a\n  && b", 3, "unknown instruction: &&", ""),
    (F + "RUN a \\\\\n  b", 3, "unknown instruction: b", ""),
    (F + "WORK DIR /a", 2, "unknown instruction: WORK", ""),
    (F + "{", 2, "unknown instruction: {", ""),
    (F + "=", 2, "unknown instruction: =", ""),
    (F + "<<EOF", 2, "unknown instruction: <<EOF", ""),
    (F + "FROM: y", 2, "unknown instruction: FROM:", "FROM"),
    (F + "RUN a\nEOF", 3, "unknown instruction: EOF", ""),
    (F + "u\u017fer a", 2, "unknown instruction: u\u017fer", "USER"),
    (F + "WORKD\u0131R /a", 2, "unknown instruction: WORKD\u0131R", "WORKDIR"),
    ("ÉNV a=b", 1, "unknown instruction: ÉNV", "ENV"),
    (F + "X" * 100, 2, "unknown instruction: " + "X" * 100, ""),
    # text that no config can hold
    (b"FROM x\nRUN \xff", 2, "the instruction is not valid UTF-8", ""),
    (b"FROM x\nLABEL a=\xc3\x28", 2, "the instruction is not valid UTF-8", ""),
    (b"\xff\xfeF\0R\0O\0M\0 \0x\0\n\0", 1, "the instruction holds a NUL character", ""),
    (b"FROM x\nCOPY <<A /a\n\xff\nA", 2, "the instruction is not valid UTF-8", ""),
    (F + "RUN a\0b", 2, "the instruction holds a NUL character", ""),
    (F + "COPY <<A /a\n\0\nA", 2, "the instruction holds a NUL character", ""),
    # here-documents
    (F + "RUN <<EOF", 2, "unterminated heredoc", ""),
    (F + "RUN <<EOF\na\nb\n", 2, "unterminated heredoc", ""),
    (F + "RUN <<EOF\n EOF\n", 2, "unterminated heredoc", ""),
    (F + "RUN <<EOF\n\tEOF\n", 2, "unterminated heredoc", ""),
    (F + "RUN <<EOF\nEOF \n", 2, "unterminated heredoc", ""),
    (F + "RUN <<'EOF'\n'EOF'\n", 2, "unterminated heredoc", ""),
    (F + "COPY <<A <<B /d/\nA\na\nA\n", 2, "unterminated heredoc", ""),
    (F + "ONBUILD RUN <<EOF\na", 2, "unterminated heredoc", ""),
    (F + "RUN a\n\nADD <<EOF /d\nEOFF", 4, "unterminated heredoc", ""),
    (F + "COPY a <<EOF\nx\nEOF", 2, "COPY cannot accept a heredoc as a destination", ""),
    (F + "ADD <<A <<B\nA\nB", 2, "ADD cannot accept a heredoc as a destination", ""),
    (F + "COPY <<EOF\nEOF", 2, f"COPY {TWO}", ""),
    (F + "RUN cat <<A\nA\nB", 4, "unknown instruction: B", ""),
    # FROM
    ("FROM", 1, FROM_ARGUMENTS, ""),
    ("FROM  ", 1, FROM_ARGUMENTS, ""),
    ("FROM x y", 1, FROM_ARGUMENTS, ""),
    ("FROM x AS", 1, FROM_ARGUMENTS, ""),
    ("FROM x IS y", 1, FROM_ARGUMENTS, ""),
    ("FROM x AS y z", 1, FROM_ARGUMENTS, ""),
    ("FROM --platform=a", 1, FROM_ARGUMENTS, ""),
    ("FROM x AS 1y", 1, stage_name("1y"), ""),
    ("FROM x AS 0", 1, stage_name("0"), ""),
    ("FROM x AS -y", 1, stage_name("-y"), ""),
    ("FROM x AS a/b", 1, stage_name("a/b"), ""),
    ("FROM x AS $y", 1, stage_name("$y"), ""),
    ("FROM x AS y!", 1, stage_name("y!"), ""),
    ("FROM x AS été", 1, stage_name("été"), ""),
    ("FROM --platfrom=a x", 1, "unknown flag: --platfrom", "platform"),
    ("FROM --os=a x", 1, "unknown flag: --os", ""),
    ("FROM --platform x", 1, "missing a value on flag: --platform", ""),
    ("FROM --platform=a --platform=b x", 1, "duplicate flag specified: --platform", ""),
    # ARG
    ("ARG\nFROM x", 1, f"ARG {SOME}", ""),
    (F + "ARG", 2, f"ARG {SOME}", ""),
    (F + "ARG =", 2, f"ARG {BLANK}", ""),
    (F + "ARG a =b", 2, f"ARG {BLANK}", ""),
    (F + "ARG --a b", 2, "unknown flag: --a", ""),
    # ENV and LABEL
    (F + "ENV", 2, f"ENV {SOME}", ""),
    (F + "ENV a", 2, "ENV must have two arguments", ""),
    (F + "ENV a=b c", 2, no_equals("c"), ""),
    (F + "ENV a=b \\\n c \\\n d=e", 2, no_equals("c"), ""),
    (F + "ENV a=b 'c d'", 2, no_equals("'c d'"), ""),
    (F + "ENV =b", 2, f"ENV {BLANK}", ""),
    (F + "ENV a=b =c", 2, f"ENV {BLANK}", ""),
    (F + "ENV --x a=b", 2, "unknown flag: --x", ""),
    (F + "LABEL", 2, f"LABEL {SOME}", ""),
    (F + "LABEL a", 2, "LABEL must have two arguments", ""),
    (F + "LABEL a=b c", 2, no_equals("c"), ""),
    (F + 'LABEL a=b "c\td"', 2, no_equals('\\"c\\td\\"'), ""),
    (F + "LABEL =b", 2, f"LABEL {BLANK}", ""),
    (F + "LABEL --x=y a=b", 2, "unknown flag: --x", ""),
    # RUN
    (F + "RUN", 2, f"RUN {SOME}", ""),
    (F + "RUN []", 2, f"RUN {SOME}", ""),
    (F + "RUN --network=none", 2, f"RUN {SOME}", ""),
    (F + "RUN --", 2, f"RUN {SOME}", ""),
    (F + "RUN ---", 2, "unknown flag: ---", ""),
    (F + "RUN [1]", 2, STRINGS, ""),
    (F + 'RUN ["a", 1]', 2, STRINGS, ""),
    (F + 'RUN ["a", null]', 2, STRINGS, ""),
    (F + 'RUN ["a", true]', 2, STRINGS, ""),
    (F + 'RUN ["a", ["b"]]', 2, STRINGS, ""),
    (F + 'RUN ["a", {"b": "c"}]', 2, STRINGS, ""),
    (F + 'RUN ["a", 1.5e3]', 2, STRINGS, ""),
    (F + "RUN [" + "1" * 5000 + "]", 2, STRINGS, ""),
    (F + "RUN --mont=type=bind a", 2, "unknown flag: --mont", "mount"),
    (F + "RUN --device=x a", 2, "unknown flag: --device", ""),
    (F + "RUN --a --b c", 2, "unknown flag: --a", ""),
    (F + "RUN --mount a", 2, "missing a value on flag: --mount", ""),
    (F + "RUN --network a", 2, "missing a value on flag: --network", ""),
    (F + "RUN --network=none --network=host a", 2, "duplicate flag specified: --network", ""),
    (F + "RUN --network=bridge a", 2, 'unsupported network mode "bridge"', ""),
    (F + "RUN --network=nome a", 2, 'unsupported network mode "nome"', "none"),
    (F + "RUN --security=priv a", 2, 'unsupported security "priv"', ""),
    (F + "RUN --security=insecre a", 2, 'unsupported security "insecre"', "insecure"),
    # RUN --mount
    (F + "RUN --mount= a", 2, "failed to parse csv mounts: EOF", ""),
    (F + "RUN --mount=type a", 2, "invalid field 'type' must be a key=value pair", ""),
    (F + "RUN --mount=type=bind, a", 2, "invalid field '' must be a key=value pair", ""),
    (F + "RUN --mount=type=foo a", 2, 'unsupported mount type "foo"', ""),
    (F + "RUN --mount=type=secrets a", 2, 'unsupported mount type "secrets"', "secret"),
    (F + "RUN --mount=target=/a,x=y a", 2, "unexpected key 'x' in 'x=y'", ""),
    (F + "RUN --mount=targt=/a a", 2, "unexpected key 'targt' in 'targt=/a'", "target"),
    (F + "RUN --mount=from=$a,target=/a b", 2, MOUNT_FROM, ""),
    (F + "RUN --mount=from=${a},target=$b c", 2, MOUNT_FROM, ""),
    (F + "RUN --mount=target=/a,mode=1 b", 2, 'mode not allowed for "bind" type mounts', ""),
    (F + "RUN --mount=type=cache,mode=999,target=/a b", 2, "invalid value 999 for mode", ""),
    (F + "RUN --mount=type=cache,uid=x,target=/a b", 2, "invalid value x for uid", ""),
    (F + "RUN --mount=type=secret b", 2, "invalid secret mount. one of source, target required", ""),
    (F + "RUN --mount=type=secret,id=a,src=b c", 2, "both source and id can't be set", ""),
    (F + "RUN --mount=type=secret,id=a,from=b c", 2, "secret mount should not have a from", ""),
    (
        F + "RUN --mount=type=bind,target=/a,sharing=locked b",
        2,
        "invalid cache sharing set for bind mount",
        "",
    ),
    (F + "RUN --mount=type=cache,target=/a,sharing=x b", 2, 'unsupported sharing value "x"', ""),
    (
        F + "RUN --mount=type=bind,target=/a,required b",
        2,
        "unexpected key 'required' for mount type 'bind'",
        "",
    ),
    (F + "RUN --mount=type=tmpfs,target=/a,size=x b", 2, "invalid value for size: x", ""),
    (F + "RUN --mount=target=/a,ro=x b", 2, "invalid value for ro: x", ""),
    (F + "RUN \\\n --mount=type=x \\\n b", 2, 'unsupported mount type "x"', ""),
    # CMD, ENTRYPOINT, SHELL
    (F + "CMD [1]", 2, STRINGS, ""),
    (F + 'CMD ["a", 2]', 2, STRINGS, ""),
    (F + "CMD --a b", 2, "unknown flag: --a", ""),
    (F + "ENTRYPOINT [null]", 2, STRINGS, ""),
    (F + 'ENTRYPOINT [["a"]]', 2, STRINGS, ""),
    (F + "ENTRYPOINT --a=b c", 2, "unknown flag: --a", ""),
    (F + "SHELL", 2, f"SHELL {SOME}", ""),
    (F + "SHELL []", 2, f"SHELL {SOME}", ""),
    (F + "SHELL [1]", 2, STRINGS, ""),
    (F + "SHELL /bin/sh -c", 2, "SHELL requires the arguments to be in JSON form", ""),
    (F + "SHELL ['/bin/sh']", 2, "SHELL requires the arguments to be in JSON form", ""),
    (F + 'SHELL ["/bin/sh"', 2, "SHELL requires the arguments to be in JSON form", ""),
    (F + 'SHELL --x ["a"]', 2, "unknown flag: --x", ""),
    # COPY
    (F + "COPY", 2, f"COPY {TWO}", ""),
    (F + "COPY a", 2, f"COPY {TWO}", ""),
    (F + 'COPY ["a"]', 2, f"COPY {TWO}", ""),
    (F + "COPY []", 2, f"COPY {TWO}", ""),
    (F + "COPY --from=x", 2, f"COPY {TWO}", ""),
    (F + "COPY --from=x a", 2, f"COPY {TWO}", ""),
    (F + 'COPY ["a", 1]', 2, STRINGS, ""),
    (F + "COPY --form=x a b", 2, "unknown flag: --form", "from"),
    (F + "COPY --chwon=x a b", 2, "unknown flag: --chwon", "chown"),
    (F + "COPY --checksum=x a b", 2, "unknown flag: --checksum", ""),
    (F + "COPY --unpack a b", 2, "unknown flag: --unpack", ""),
    (F + "COPY --keep-git-dir a b", 2, "unknown flag: --keep-git-dir", ""),
    (F + "COPY --from a b", 2, "missing a value on flag: --from", ""),
    (F + "COPY --chmod a b", 2, "missing a value on flag: --chmod", ""),
    (F + "COPY --exclude a b", 2, "missing a value on flag: --exclude", ""),
    (F + "COPY --from=a --from=b c d", 2, "duplicate flag specified: --from", ""),
    (F + "COPY --chown=a --chown=a c d", 2, "duplicate flag specified: --chown", ""),
    (F + "COPY --link --link a b", 2, "duplicate flag specified: --link", ""),
    (F + "COPY --link= a b", 2, "missing a value on flag: --link", ""),
    (F + "COPY --link=1 a b", 2, "expecting boolean value for flag --link, not: 1", ""),
    (F + "COPY --link=yes a b", 2, "expecting boolean value for flag --link, not: yes", ""),
    (F + "COPY --parents=no a b", 2, "expecting boolean value for flag --parents, not: no", ""),
    (F + "COPY --from=$x a b", 2, NO_VARIABLE, ""),
    (F + "COPY --from=${x:-y} a b", 2, NO_VARIABLE, ""),
    (F + "COPY \\\n\n# c\n --from=$x a b", 2, NO_VARIABLE, ""),
    # ADD
    (F + "ADD", 2, f"ADD {TWO}", ""),
    (F + "ADD a", 2, f"ADD {TWO}", ""),
    (F + 'ADD ["a"]', 2, f"ADD {TWO}", ""),
    (F + "ADD [1, 2]", 2, STRINGS, ""),
    (F + "ADD --from=x a b", 2, "unknown flag: --from", ""),
    (F + "ADD --parents a b", 2, "unknown flag: --parents", ""),
    (F + "ADD --checksm=x a b", 2, "unknown flag: --checksm", "checksum"),
    (F + "ADD --checksum a b", 2, "missing a value on flag: --checksum", ""),
    (F + "ADD --unpack=maybe a b", 2, "expecting boolean value for flag --unpack, not: maybe", ""),
    (F + "ADD --unpack=true --unpack=false a b", 2, "duplicate flag specified: --unpack", ""),
    (F + "ADD --keep-git-dir= a b", 2, "missing a value on flag: --keep-git-dir", ""),
    # WORKDIR, USER, MAINTAINER
    (F + "WORKDIR", 2, f"WORKDIR {ONE}", ""),
    (F + "WORKDIR  ", 2, f"WORKDIR {ONE}", ""),
    (F + "WORKDIR --x /a", 2, "unknown flag: --x", ""),
    (F + "USER", 2, f"USER {ONE}", ""),
    (F + "USER --x a", 2, "unknown flag: --x", ""),
    (F + "MAINTAINER", 2, f"MAINTAINER {ONE}", ""),
    (F + "MAINTAINER --x=y a", 2, "unknown flag: --x", ""),
    # EXPOSE
    (F + "EXPOSE", 2, f"EXPOSE {SOME}", ""),
    (F + "EXPOSE --x 80", 2, "unknown flag: --x", ""),
    (F + "EXPOSE a", 2, "invalid containerPort: a", ""),
    (F + "EXPOSE 80 b", 2, "invalid containerPort: b", ""),
    (F + "EXPOSE 65536", 2, "invalid containerPort: 65536", ""),
    (F + "EXPOSE -1", 2, "invalid containerPort: -1", ""),
    (F + "EXPOSE 90-80", 2, "invalid containerPort: 90-80", ""),
    (F + "EXPOSE 80-", 2, "invalid containerPort: 80-", ""),
    (F + "EXPOSE 80-90-100", 2, "invalid containerPort: 80-90-100", ""),
    (F + "EXPOSE 80/foo", 2, "invalid proto: foo", ""),
    (F + "EXPOSE 80/tcp/udp", 2, "invalid proto: tcp/udp", ""),
    (F + "EXPOSE /tcp", 2, "no port specified: /tcp<empty>", ""),
    (F + "EXPOSE 80:", 2, "no port specified: 80:<empty>", ""),
    (F + "EXPOSE x:80", 2, "invalid hostPort: x", ""),
    (F + "EXPOSE 1-3:80-81", 2, "invalid ranges specified for container and host Ports: 80-81 and 1-3", ""),
    (F + "EXPOSE host:80:80", 2, "invalid IP address: host", ""),
    (F + "EXPOSE 1.2.3:80:80", 2, "invalid IP address: 1.2.3", ""),
    (F + "EXPOSE 1.2.3.256:80:80", 2, "invalid IP address: 1.2.3.256", ""),
    # VOLUME, STOPSIGNAL
    (F + "VOLUME", 2, f"VOLUME {SOME}", ""),
    (F + "VOLUME []", 2, f"VOLUME {SOME}", ""),
    (F + 'VOLUME [""]', 2, "VOLUME specified can not be an empty string", ""),
    (F + 'VOLUME ["/a", " "]', 2, "VOLUME specified can not be an empty string", ""),
    (F + "VOLUME [1]", 2, STRINGS, ""),
    (F + "VOLUME --x /a", 2, "unknown flag: --x", ""),
    (F + "STOPSIGNAL", 2, f"STOPSIGNAL {ONE}", ""),
    (F + "STOPSIGNAL SIGFOO", 2, "invalid signal: SIGFOO", ""),
    (F + "STOPSIGNAL 0", 2, "invalid signal: 0", ""),
    (F + "STOPSIGNAL TERM KILL", 2, "invalid signal: TERM KILL", ""),
    (F + "STOPSIGNAL RTMIN+16", 2, "invalid signal: RTMIN+16", ""),
    (F + "STOPSIGNAL --x TERM", 2, "unknown flag: --x", ""),
    # HEALTHCHECK
    (F + "HEALTHCHECK", 2, f"HEALTHCHECK {SOME}", ""),
    (F + "HEALTHCHECK --interval=1s", 2, f"HEALTHCHECK {SOME}", ""),
    (F + "HEALTHCHECK NONE a", 2, "HEALTHCHECK NONE takes no arguments", ""),
    (F + "HEALTHCHECK CMD", 2, "Missing command after HEALTHCHECK CMD", ""),
    (F + "HEALTHCHECK CMD []", 2, "Missing command after HEALTHCHECK CMD", ""),
    (F + "HEALTHCHECK CMD [1]", 2, STRINGS, ""),
    (F + "HEALTHCHECK curl x", 2, 'Unknown type "CURL" in HEALTHCHECK (try CMD)', ""),
    (F + "HEALTHCHECK --interva=1s CMD a", 2, "unknown flag: --interva", "interval"),
    (F + "HEALTHCHECK --x=1s NONE", 2, "unknown flag: --x", ""),
    (F + "HEALTHCHECK --interval CMD a", 2, "missing a value on flag: --interval", ""),
    (F + "HEALTHCHECK --retries=1 --retries=2 CMD a", 2, "duplicate flag specified: --retries", ""),
    (F + "HEALTHCHECK --interval=5 CMD a", 2, 'time: missing unit in duration "5"', ""),
    (F + "HEALTHCHECK --interval=x CMD a", 2, 'time: invalid duration "x"', ""),
    (F + "HEALTHCHECK --interval=. CMD a", 2, 'time: invalid duration "."', ""),
    (F + "HEALTHCHECK --timeout=5d CMD a", 2, 'time: unknown unit "d" in duration "5d"', ""),
    (F + "HEALTHCHECK --timeout=1h5 CMD a", 2, 'time: missing unit in duration "1h5"', ""),
    (F + "HEALTHCHECK --timeout=300y CMD a", 2, 'time: unknown unit "y" in duration "300y"', ""),
    (F + "HEALTHCHECK --timeout=9999999h CMD a", 2, 'time: invalid duration "9999999h"', ""),
    (F + "HEALTHCHECK --start-period=1us CMD a", 2, 'Interval "start-period" cannot be less than 1ms', ""),
    (
        F + "HEALTHCHECK --start-interval=999us CMD a",
        2,
        'Interval "start-interval" cannot be less than 1ms',
        "",
    ),
    (F + "HEALTHCHECK --interval=-1s CMD a", 2, 'Interval "interval" cannot be less than 1ms', ""),
    (F + "HEALTHCHECK --retries=-1 CMD a", 2, "--retries cannot be negative (-1)", ""),
    (F + "HEALTHCHECK --retries=x CMD a", 2, 'strconv.ParseInt: parsing "x": invalid syntax', ""),
    (F + "HEALTHCHECK --retries=1.5 CMD a", 2, 'strconv.ParseInt: parsing "1.5": invalid syntax', ""),
    (
        F + "HEALTHCHECK --retries=2147483648 CMD a",
        2,
        'strconv.ParseInt: parsing "2147483648": value out of range',
        "",
    ),
    # ONBUILD
    (F + "ONBUILD", 2, f"ONBUILD {SOME}", ""),
    (F + "ONBUILD ONBUILD RUN a", 2, CHAIN, ""),
    (F + "ONBUILD " * 1000 + "RUN a", 2, CHAIN, ""),
    (F + "onbuild onbuild", 2, CHAIN, ""),
    (F + "ONBUILD FROM x", 2, "FROM isn't allowed as an ONBUILD trigger", ""),
    (F + "ONBUILD from x", 2, "FROM isn't allowed as an ONBUILD trigger", ""),
    (F + "ONBUILD MAINTAINER x", 2, "MAINTAINER isn't allowed as an ONBUILD trigger", ""),
    (F + "ONBUILD --x RUN a", 2, "unknown flag: --x", ""),
    (F + "ONBUILD RUNN a", 2, "unknown instruction: RUNN", "RUN"),
    (F + "ONBUILD COPY a", 2, f"COPY {TWO}", ""),
    (F + "ONBUILD COPY --from=$a b c", 2, NO_VARIABLE, ""),
    (F + "ONBUILD RUN --mount=type=x a", 2, 'unsupported mount type "x"', ""),
    # the line that is to blame
    ("# a\n# b\n\nFROM x\n\n# c\nRUN a \\\n  b\n\nRUNN", 10, "unknown instruction: RUNN", "RUN"),
    ("FROM x\r\nRUN a\r\nRUNN b\r\n", 3, "unknown instruction: RUNN", "RUN"),
    (F + "RUN <<A\na\nb\nA\nRUNN", 6, "unknown instruction: RUNN", "RUN"),
    (F + "RUN a\nUSER \\\n\n\nRUN b\nCOPY", 7, f"COPY {TWO}", ""),
    (F + "RUN a\nFROM y\nFROM", 4, FROM_ARGUMENTS, ""),
    ("# escape=`\nFROM x\nRUN a `\n b\nCOPY c\\\nRUN", 5, f"COPY {TWO}", ""),
]


def test_there_are_enough() -> None:
    assert len(FILES) >= 200
    assert len({text for text, *_ in FILES}) == len(FILES)


@pytest.mark.parametrize("number", range(len(FILES)))
def test_malformed(number: int) -> None:
    text, line, message, suggestion = FILES[number]
    with pytest.raises(DockerfileError) as caught:
        parse(text if isinstance(text, bytes) else text.encode())
    error = caught.value
    assert (error.line, error.message, error.suggestion) == (line, message, suggestion)
    place = f"Dockerfile:{line}" if line else "Dockerfile"
    wish = f" (did you mean {suggestion}?)" if suggestion else ""
    assert str(error) == f"{place}: {message}{wish}"
    assert "\n" not in str(error)
