"""Cuts the text of a Go template into tokens. Source: Go 1.24, text/template/parse/lex.go."""

from __future__ import annotations

from enum import Enum, auto

from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass

_SPACES = " \t\r\n"
_TERMINATORS = ".,|:)("
_DIGITS = ("", *"0123456789")  # Go takes a dot at the very end for the start of a number.


class Kind(Enum):
    """What a token is; keywords are those from BLOCK on."""

    ERROR = auto()
    BOOL = auto()
    CHAR = auto()
    CHARACTER = auto()
    ASSIGN = auto()
    DECLARE = auto()
    EOF = auto()
    FIELD = auto()
    IDENTIFIER = auto()
    LEFT_DELIMITER = auto()
    LEFT_PAREN = auto()
    NUMBER = auto()
    PIPE = auto()
    RAW_STRING = auto()
    RIGHT_DELIMITER = auto()
    RIGHT_PAREN = auto()
    SPACE = auto()
    STRING = auto()
    TEXT = auto()
    VARIABLE = auto()
    BLOCK = auto()
    BREAK = auto()
    CONTINUE = auto()
    DOT = auto()
    DEFINE = auto()
    ELSE = auto()
    END = auto()
    IF = auto()
    NIL = auto()
    RANGE = auto()
    TEMPLATE = auto()
    WITH = auto()


_KEYWORDS = {
    word.name.lower(): word for word in Kind if word.value >= Kind.BLOCK.value and word is not Kind.DOT
}
_SINGLE = {"=": Kind.ASSIGN, "|": Kind.PIPE}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, the offset of its first character, and its line (from 1)."""

    kind: Kind
    text: str
    position: int
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.EOF:
            return "EOF"
        if self.kind is Kind.ERROR:
            return self.text
        if self.kind.value >= Kind.BLOCK.value:
            return f"<{self.text}>"
        return f"{quoted(self.text[:10])}..." if len(self.text) > 10 else quoted(self.text)


class Lexer:
    """Hands out tokens one by one; after EOF or an error it has no more.

    Where a method returns None, it has put the lexer into another state and the next one goes on.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._start = 0
        self._position = 0
        self._inside = False
        self._depth = 0

    def next(self) -> Token:
        """The next token; errors are tokens too."""
        while True:
            token = self._inside_action() if self._inside else self._outside()
            if token is not None:
                return token

    def _token(self, kind: Kind) -> Token:
        line = 1 + self.text.count("\n", 0, self._start)
        token = Token(kind, self.text[self._start : self._position], self._start, line)
        self._start = self._position
        return token

    def _error(self, message: str) -> Token:
        line = 1 + self.text.count("\n", 0, self._start)
        return Token(Kind.ERROR, message, self._start, line)

    def _skip(self, count: int) -> None:
        self._position += count
        self._start = self._position

    def _peek(self) -> str:
        return self.text[self._position : self._position + 1]

    def _outside(self) -> Token | None:
        """Text up to the next action, or the action's opening delimiter."""
        if self.text.startswith("{{", self._position):
            return self._left_delimiter()
        found = self.text.find("{{", self._position)
        end = len(self.text) if found < 0 else found
        text = self.text[self._start : end]
        if found >= 0 and _trims_left(self.text, end + 2):
            text = text.rstrip(_SPACES)
        self._position = self._start + len(text)
        if text:
            token = self._token(Kind.TEXT)
            self._skip(end - self._position)
            return token
        self._skip(end - self._position)
        return self._token(Kind.EOF) if found < 0 else None

    def _left_delimiter(self) -> Token | None:
        trim = 2 if _trims_left(self.text, self._position + 2) else 0
        if self.text.startswith("/*", self._position + 2 + trim):
            self._skip(2 + trim)
            return self._comment()
        self._position += 2
        token = self._token(Kind.LEFT_DELIMITER)
        self._skip(trim)
        self._inside, self._depth = True, 0
        return token

    def _comment(self) -> Token | None:
        end = self.text.find("*/", self._position + 2)
        if end < 0:
            return self._error("unclosed comment")
        self._position = end + 2
        if not self._at_right_delimiter():
            return self._error("comment ends before closing delimiter")
        self._right_delimiter()
        return None

    def _at_right_delimiter(self) -> bool:
        return self.text.startswith("}}", self._position + (2 if self._trims_right() else 0))

    def _trims_right(self) -> bool:
        marker = self.text[self._position : self._position + 4]
        return len(marker) == 4 and marker[0] in _SPACES and marker[1:] == "-}}"

    def _right_delimiter(self) -> Token:
        trims = self._trims_right()
        self._skip(2 if trims else 0)
        self._position += 2
        token = self._token(Kind.RIGHT_DELIMITER)
        while trims and self._peek() and self._peek() in _SPACES:
            self._skip(1)
        self._inside = False
        return token

    def _inside_action(self) -> Token:
        if self._at_right_delimiter():
            return self._error("unclosed left paren") if self._depth else self._right_delimiter()
        letter = self._peek()
        if not letter:
            return self._error("unclosed action")
        if letter in _SPACES:
            return self._space()
        following = self.text[self._position + 1 : self._position + 2]
        if letter in "+-0123456789" or (letter == "." and following in _DIGITS):
            return self._number()
        self._position += 1
        if letter in "\"`'":
            return self._quoted(letter)
        if letter in "$.":
            return self._field_or_variable(letter)
        if _is_word(letter):
            return self._identifier()
        return self._punctuation(letter)

    def _punctuation(self, letter: str) -> Token:
        if letter in _SINGLE:
            return self._token(_SINGLE[letter])
        if letter == ":":
            return self._token(Kind.DECLARE) if self._accept("=") else self._error("expected :=")
        if letter == "(":
            self._depth += 1
            return self._token(Kind.LEFT_PAREN)
        if letter == ")":
            self._depth -= 1
            return self._error("unexpected right paren") if self._depth < 0 else self._token(Kind.RIGHT_PAREN)
        if letter.isascii() and letter.isprintable():
            return self._token(Kind.CHAR)
        return self._error(f"unrecognized character in action: {code_point(letter)}")

    def _space(self) -> Token:
        while self._peek() and self._peek() in _SPACES and not self._trims_right():
            self._position += 1
        return self._token(Kind.SPACE)

    def _at_terminator(self) -> bool:
        letter = self._peek()
        return not letter or letter in _SPACES or letter in _TERMINATORS or self._at_right_delimiter()

    def _bad_character(self) -> Token:
        return self._error(f"bad character {code_point(self._peek())}")

    def _identifier(self) -> Token:
        self._words()
        if not self._at_terminator():
            return self._bad_character()
        word = self.text[self._start : self._position]
        if word in ("true", "false"):
            return self._token(Kind.BOOL)
        return self._token(_KEYWORDS.get(word, Kind.IDENTIFIER))

    def _field_or_variable(self, letter: str) -> Token:
        if self._at_terminator():
            return self._token(Kind.VARIABLE if letter == "$" else Kind.DOT)
        self._words()
        if not self._at_terminator():
            return self._bad_character()
        return self._token(Kind.VARIABLE if letter == "$" else Kind.FIELD)

    def _words(self) -> None:
        while self._peek() and _is_word(self._peek()):
            self._position += 1

    def _quoted(self, quote_mark: str) -> Token:
        kind, what = {
            '"': (Kind.STRING, "unterminated quoted string"),
            "`": (Kind.RAW_STRING, "unterminated raw quoted string"),
            "'": (Kind.CHARACTER, "unterminated character constant"),
        }[quote_mark]
        while True:
            letter = self._peek()
            self._position += 1
            if letter == "\\" and quote_mark != "`":
                letter = self._peek()
                self._position += 1
                if letter and letter != "\n":
                    continue
            if not letter or (letter == "\n" and quote_mark != "`"):
                return self._error(what)
            if letter == quote_mark:
                return self._token(kind)

    def _number(self) -> Token:
        self._scan_number()
        if self._peek() and self._peek() in "+-":
            # In Go this starts the imaginary part of a number, which templates here do not have.
            self._scan_number()
        elif not self._at_word():
            return self._token(Kind.NUMBER)
        self._position += self._at_word()
        return self._error(f"bad number syntax: {quoted(self.text[self._start : self._position])}")

    def _at_word(self) -> bool:
        return bool(self._peek()) and _is_word(self._peek())

    def _scan_number(self) -> None:
        self._accept("+-")
        digits = "0123456789_"
        if self._accept("0"):
            for letters, allowed in (("xX", "0123456789abcdefABCDEF_"), ("oO", "01234567_"), ("bB", "01_")):
                if self._accept(letters):
                    digits = allowed
                    break
        self._run(digits)
        if self._accept("."):
            self._run(digits)
        if (len(digits) == 11 and self._accept("eE")) or (len(digits) == 23 and self._accept("pP")):
            self._accept("+-")
            self._run("0123456789_")
        self._accept("i")

    def _accept(self, letters: str) -> bool:
        found = bool(self._peek()) and self._peek() in letters
        self._position += found
        return found

    def _run(self, letters: str) -> None:
        while self._accept(letters):
            pass


def _is_word(letter: str) -> bool:
    return letter == "_" or letter.isalpha() or letter.isdecimal()


def _trims_left(text: str, position: int) -> bool:
    return text.startswith("-", position) and text[position + 1 : position + 2] in tuple(_SPACES)



def code_point(letter: str) -> str:
    """A letter as Go's %#U writes it: `U+0040 '@'`."""
    if not letter:
        return "U+FFFFFFFFFFFFFFFF"
    shown = f" '{letter}'" if letter.isprintable() else ""
    return f"U+{ord(letter):04X}{shown}"
