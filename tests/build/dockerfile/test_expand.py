"""Words after expansion: quotes, escapes, variables, substitutions."""

from __future__ import annotations

import pytest

from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.expand import expand
from millefeuille.build.dockerfile.lexing import Lexing

VARIABLES = {
    "v": "value",
    "empty": "",
    "two": "a b",
    "path": "/usr/lib/x.tar.gz",
    "home": "/home/u",
    "_u1": "under",
    "0": "zero",
    "12": "twelve",
    "@": "at",
    "a": "foobarfoobaz",
    "special": "a*b?c\\d",
    "slashes": "a/b/c",
    "vé": "accent",
    "日本": "japan",
    "v٣": "digit",
    "٣": "three",
}

EXPANDED = {
    # nothing to do
    "": "",
    "plain": "plain",
    "a b  c": "a b  c",
    # quotes
    "'a b'": "a b",
    '"a b"': "a b",
    "'$v'": "$v",
    '"$v"': "value",
    "a'b'\"c\"d": "abcd",
    "'it\"s'": 'it"s',
    '"it\'s"': "it's",
    "''": "",
    '""': "",
    "'a\\b'": "a\\b",
    "'\\'": "\\",
    # escapes
    "\\t": "t",
    "\\$v": "$v",
    "\\\\": "\\",
    "\\'": "'",
    '\\"': '"',
    "a\\": "a",
    "\\": "",
    '"\\t"': "\\t",
    '"\\$v"': "$v",
    '"\\""': '"',
    '"\\\\"': "\\",
    '"\\\'"': "\\'",
    "a\\ b": "a b",
    # names
    "$v": "value",
    "${v}": "value",
    "$v.x": "value.x",
    "$v-x": "value-x",
    "$vx": "",
    "$_u1": "under",
    "a${v}b": "avalueb",
    "$v$v": "valuevalue",
    "$12": "twelve",
    "$0": "zero",
    "$0x": "zerox",
    "$12a": "twelvea",
    "$@": "at",
    "$*": "",
    "$#": "",
    "$?": "",
    "$-": "",
    "$$": "",
    "$!": "",
    "$": "$",
    "a$": "a$",
    "$ v": "$ v",
    "$.": "$.",
    "$é": "",
    "$vé": "accent",
    "${vé}": "accent",
    "${vé:+w}": "w",
    "$日本.x": "japan.x",
    "$v٣": "digit",
    "$٣v": "threev",
    "$v²": "value²",
    "$²": "$²",
    "$v\u0301": "value\u0301",
    "$(v)": "$(v)",
    "${unset}": "",
    "${@}": "at",
    # defaults
    "${v:-w}": "value",
    "${v-w}": "value",
    "${empty:-w}": "w",
    "${empty-w}": "",
    "${unset:-w}": "w",
    "${unset-w}": "w",
    "${unset:-}": "",
    "${unset:-$v}": "value",
    "${unset:-${empty:-x}}": "x",
    "${unset:-'a}b'}": "a}b",
    '${unset:-"a}b"}': "a}b",
    "${unset:-a\\}b}": "a}b",
    "${unset:-a b}": "a b",
    '"${unset:-a b}"': "a b",
    # replacements
    "${v:+w}": "w",
    "${v+w}": "w",
    "${empty:+w}": "",
    "${empty+w}": "w",
    "${unset:+w}": "",
    "${unset+w}": "",
    "${0:+0}": "0",
    # required
    "${v:?w}": "value",
    "${v?w}": "value",
    "${empty?w}": "",
    # prefixes
    "${path#*/}": "usr/lib/x.tar.gz",
    "${path##*/}": "x.tar.gz",
    "${path#/usr}": "/lib/x.tar.gz",
    "${path#usr}": "/usr/lib/x.tar.gz",
    "${path#?}": "usr/lib/x.tar.gz",
    "${path##?}": "usr/lib/x.tar.gz",
    "${path#}": "/usr/lib/x.tar.gz",
    "${path##*}": "",
    "${path#*}": "/usr/lib/x.tar.gz",
    "${unset#x}": "",
    "${home#$home}": "",
    "${special#a\\*}": "b?c\\d",
    "${special##*\\?}": "c\\d",
    "${special##*\\\\}": "d",
    # suffixes
    "${path%.*}": "/usr/lib/x.tar",
    "${path%%.*}": "/usr/lib/x",
    "${path%.gz}": "/usr/lib/x.tar",
    "${path%.xz}": "/usr/lib/x.tar.gz",
    "${path%/*}": "/usr/lib",
    "${path%%/*}": "",
    "${path%?}": "/usr/lib/x.tar.g",
    "${path%%*}": "",
    # replacing
    "${a/foo/x}": "xbarfoobaz",
    "${a//foo/x}": "xbarxbaz",
    "${a/o*b/x}": "fxaz",
    "${a//o/}": "fbarfbaz",
    "${a//[o]/x}": "foobarfoobaz",
    "${a/zzz/x}": "foobarfoobaz",
    "${a//?/-}": "------------",
    "${a//*/-}": "-",
    "${a/ba?/$v}": "foovaluefoobaz",
    "${slashes//\\//-}": "a-b-c",
    "${slashes/\\/b/}": "a/c",
    "${a/foo/\\}}": "\\}barfoobaz",
    "${slashes//\\//\\/}": "a\\/b\\/c",
    "${v/l/\\x}": "va\\xue",
    "${v/l/\\\\}": "va\\\\ue",
    '"${v/l/\\x}"': "va\\xue",
    '${v/l/"\\$v"}': "va\\$vue",
    "${unset/a/b}": "",
    "${unset/*/z}": "z",
    "${unset//*/z}": "z",
    "${unset///z}": "z",
    "${unset/?/z}": "",
    "${empty/*/z}": "z",
    "${a/foo/$0}": "zerobarfoobaz",
}


@pytest.mark.parametrize("text", EXPANDED)
def test_expanded(text: str) -> None:
    assert expand(text, VARIABLES).text == EXPANDED[text]


FAILURES = {
    "'": "unexpected end of statement while looking for matching single-quote",
    '"': "unexpected end of statement while looking for matching double-quote",
    "a'b": "unexpected end of statement while looking for matching single-quote",
    '"a': "unexpected end of statement while looking for matching double-quote",
    '"a\\': "unexpected end of statement while looking for matching double-quote",
    "${": "syntax error: missing '}'",
    "${v": "syntax error: missing '}'",
    "${v:-": "syntax error: missing '}'",
    "${v:-a": "syntax error: missing '}'",
    "${v:": "syntax error: missing '}'",
    "${v#": "syntax error: missing '}'",
    "${v:-${v}": "syntax error: missing '}'",
    "${v:-'}": "syntax error: missing '}'",
    "${v/a": "syntax error: missing '/' in ${",
    "${v/a}": "syntax error: missing '/' in ${",
    "${v/a/b": "syntax error: missing '}'",
    "${}": "syntax error: bad substitution",
    "${:}": "syntax error: bad substitution",
    "${:-a}": "syntax error: bad substitution",
    "${{v}}": "syntax error: bad substitution",
    "${v!x}": "unsupported modifier (!) in substitution",
    "${v x}": "unsupported modifier ( ) in substitution",
    "${v:x}": "unsupported modifier (:x) in substitution",
    "${v:#x}": "unsupported modifier (:#) in substitution",
    "${v:%x}": "unsupported modifier (:%) in substitution",
    "${v:/a/b}": "unsupported modifier (:/) in substitution",
    "${v^^}": "unsupported modifier (^) in substitution",
    "${v,,}": "unsupported modifier (,) in substitution",
    "${v²}": "unsupported modifier (²) in substitution",
    "${²}": "unsupported modifier (²) in substitution",
    "${#v}": "unsupported modifier (v) in substitution",
    "${.}": "unsupported modifier (.) in substitution",
    "${unset:?}": "unset: is not allowed to be unset",
    "${unset?}": "unset: is not allowed to be unset",
    "${empty:?}": "empty: is not allowed to be empty",
    "${empty:?say $v}": "empty: say value",
    "${unset?give it}": "unset: give it",
    "${v#\\a}": "invalid pattern (\\a) in substitution: invalid escape '\\a'",
    "${v/\\n/x}": "invalid pattern (\\n) in substitution: invalid escape '\\n'",
    "${unset/\\x/y}": "invalid pattern (\\x) in substitution: invalid escape '\\x'",
    "${unset#\\x}": "invalid pattern (\\x) in substitution: invalid escape '\\x'",
    "a ${v:-b} '": "unexpected end of statement while looking for matching single-quote",
}


@pytest.mark.parametrize("text", FAILURES)
def test_failure(text: str) -> None:
    with pytest.raises(Complaint) as caught:
        expand(text, VARIABLES)
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    assert caught.value.message == f'failed to process "{shown}": {FAILURES[text]}'


WORDS = {
    "": [],
    "  ": [],
    "a b": ["a", "b"],
    " a\t b\n": ["a", "b"],
    "'a b' c": ["a b", "c"],
    "a' 'b": ["a b"],
    "a\\ b c": ["a b", "c"],
    "$two": ["a", "b"],
    '"$two"': ["a b"],
    "x$two'y z'": ["xa", "by z"],
    "$two$two": ["a", "ba", "b"],
    "$empty": [],
    "a $empty b": ["a", "b"],
    "'' a": ["a"],
    "${unset:-p q}": ["p", "q"],
    "a\xa0b": ["a", "b"],
    "a\u3000b": ["a", "b"],
    "a\x1fb": ["a\x1fb"],
}


@pytest.mark.parametrize("text", WORDS)
def test_words_split_after_expansion(text: str) -> None:
    assert list(expand(text, VARIABLES).words) == WORDS[text]


def test_the_other_escape_character() -> None:
    lexing = Lexing(escape="`")
    assert expand("C:\\dir\\`$v", VARIABLES, lexing).text == "C:\\dir\\$v"
    assert expand('"`"" `a', VARIABLES, lexing).text == '" a'


KEPT = [
    (Lexing(raw_quotes=True), "'a' \"b\" \\c", "'a' \"b\" c"),
    (Lexing(raw_escapes=True), "'a' \\'b \\\\", "a \\'b \\\\"),
    (Lexing(raw_escapes=True), '"\\$x\\"\\n"', '\\$x\\"\\n'),
    (Lexing(skip_unset=True), "$unset ${unset} ${unset:-$v} $v", "$unset ${unset} ${unset:-value} value"),
    (Lexing(skip_unset=True), "${unset/a/b} ${unset//a/b}", "${unset/a/b} ${unset//a/b}"),
    (Lexing(skip_unset=True), "${unset/\\x/y} ${unset/*/z}", "${unset/\\x/y} ${unset/*/z}"),
    (Lexing(skip_unset=True), "${unset#a} ${unset%%a}", "${unset#a} ${unset%%a}"),
    (Lexing(skip_quotes=True), "'$v' \"$v\" it's \\$v", "'value' \"value\" it's $v"),
]


@pytest.mark.parametrize(("lexing", "text", "expected"), KEPT)
def test_what_is_kept(lexing: Lexing, text: str, expected: str) -> None:
    assert expand(text, VARIABLES, lexing).text == expected


def test_which_variables_were_asked_for() -> None:
    found = expand("$v ${two} $no ${other:-x} ${more+y} ${third#a} $no", VARIABLES)
    assert found.found == {"v", "two"}
    assert found.unset == ("no", "third")


def test_bombs_are_refused() -> None:
    large = {"a": "x" * (1 << 20)}
    assert len(expand("$a" * 16, large).text) == 16 << 20
    for text in ("$a" * 17, "${a//x/" + "y" * 17 + "}", "${a//?/" + "y" * 17 + "}"):
        with pytest.raises(Complaint, match="16 MiB"):
            expand(text, large)


def test_depth_is_limited() -> None:
    assert expand("${u:-" * 60 + "x" + "}" * 60, {}).text == "x"
    with pytest.raises(Complaint, match="64 deep"):
        expand("${u:-" * 100_000, {})
