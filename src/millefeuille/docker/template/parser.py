"""Builds the tree of a Go template. Source: Go 1.24, text/template/parse/parse.go."""

from __future__ import annotations

from collections.abc import Collection

from millefeuille.docker.template import nodes
from millefeuille.docker.template.constant import number, unquote
from millefeuille.docker.template.error import TemplateSyntaxError
from millefeuille.docker.template.lexer import Kind, Lexer, Token
from millefeuille.oci.gotext import quoted

_OPERANDS = frozenset(
    {
        Kind.BOOL, Kind.CHARACTER, Kind.DOT, Kind.FIELD, Kind.IDENTIFIER, Kind.NUMBER, Kind.NIL,
        Kind.RAW_STRING, Kind.STRING, Kind.VARIABLE, Kind.LEFT_PAREN,
    }
)  # fmt: skip
_VALUES = (nodes.Constant, nodes.Dot, nodes.Nil)


def parse(text: str, functions: Collection[str]) -> dict[str, nodes.Block]:
    """The template in `text` under the name "", and those it defines under theirs.

    `functions` are the names that may be called. Raises TemplateSyntaxError.
    """
    parser = _Parser(text, functions)
    try:
        parser.parse()
    except RecursionError:
        raise TemplateSyntaxError("template: :1: nested too deeply") from None
    return parser.trees


class _Parser:
    """A recursive-descent parser with up to three tokens of look-ahead.

    `_tokens[0]` is the last token read; its line is the one that errors name, as in Go.
    """

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self.trees: dict[str, nodes.Block] = {}
        self._functions = functions
        self._lexer = Lexer(text)
        self._tokens = [Token(Kind.EOF, "", 0, 1)] * 3
        self._peeked = 0
        self._variables = ["$"]
        self._ranges = 0
        self._action_line = 0

    def parse(self) -> None:
        root = nodes.Block(position=0)
        while self._peek().kind is not Kind.EOF:
            if self._peek().kind is Kind.LEFT_DELIMITER:
                delimiter = self._next()
                if self._next_word().kind is Kind.DEFINE:
                    self._definition()
                    continue
                self._push(delimiter)
            node = self._text_or_action()
            if _closes(node):
                raise self._failure(f"unexpected {node}")
            root.nodes.append(node)
        self._add("", root)

    # Tokens

    def _next(self) -> Token:
        if self._peeked:
            self._peeked -= 1
        else:
            self._tokens[0] = self._lexer.next()
        return self._tokens[self._peeked]

    def _peek(self) -> Token:
        if not self._peeked:
            self._tokens[0] = self._lexer.next()
            self._peeked = 1
        return self._tokens[self._peeked - 1]

    def _push(self, *tokens: Token) -> None:
        """Put back tokens that stood before the one peeked at; the first of them comes next."""
        for place, token in enumerate(reversed(tokens), 1):
            self._tokens[place] = token
        self._peeked = len(tokens) + 1

    def _back(self) -> None:
        self._peeked += 1

    def _next_word(self) -> Token:
        while (token := self._next()).kind is Kind.SPACE:
            pass
        return token

    def _peek_word(self) -> Token:
        token = self._next_word()
        self._back()
        return token

    def _expect(self, context: str, *kinds: Kind) -> Token:
        token = self._next_word()
        if token.kind not in kinds:
            raise self._unexpected(token, context)
        return token

    def _failure(self, message: str) -> TemplateSyntaxError:
        return TemplateSyntaxError(f"template: :{self._tokens[0].line}: {message}")

    def _unexpected(self, token: Token, context: str) -> TemplateSyntaxError:
        if token.kind is not Kind.ERROR:
            return self._failure(f"unexpected {token} in {context}")
        extra = ""
        if self._action_line and self._action_line != token.line:
            extra = f" started at :{self._action_line}"
            if not token.text.endswith(" action"):
                extra = f" in action{extra}"
        return self._failure(f"{token}{extra}")

    # Text and actions

    def _add(self, name: str, tree: nodes.Block) -> None:
        old = self.trees.get(name)
        if old is None or old.is_blank:
            self.trees[name] = tree
        elif not tree.is_blank:
            raise self._failure(f"template: multiple definition of template {quoted(name)}")

    def _definition(self) -> None:
        context = "define clause"
        name = self._string(self._expect(context, Kind.STRING, Kind.RAW_STRING))
        self._expect(context, Kind.RIGHT_DELIMITER)
        self._add(name, self._nested(context))

    def _nested(self, context: str) -> nodes.Block:
        """The body of a template within the template: it sees none of the variables outside."""
        outer, self._variables, ranges, self._ranges = self._variables, ["$"], self._ranges, 0
        body, end = self._list()
        if end.word != "end":
            raise self._failure(f"unexpected {end} in {context}")
        self._variables, self._ranges = outer, ranges
        return body

    def _list(self) -> tuple[nodes.Block, nodes.Word]:
        """Nodes up to an `else` or `end`, and this."""
        block = nodes.Block(position=self._peek_word().position)
        while self._peek_word().kind is not Kind.EOF:
            node = self._text_or_action()
            if isinstance(node, nodes.Word) and _closes(node):
                return block, node
            block.nodes.append(node)
        raise self._failure("unexpected EOF")

    def _text_or_action(self) -> nodes.Node:
        token = self._next_word()
        if token.kind is Kind.TEXT:
            return nodes.Text(position=token.position, text=token.text)
        if token.kind is not Kind.LEFT_DELIMITER:
            raise self._unexpected(token, "input")
        self._action_line = token.line
        action = self._action()
        self._action_line = 0
        return action

    def _action(self) -> nodes.Node:
        token = self._next_word()
        if token.kind in (Kind.IF, Kind.WITH, Kind.RANGE):
            return self._branch(token.text, token.position)
        if token.kind is Kind.BLOCK:
            return self._block()
        if token.kind is Kind.TEMPLATE:
            return self._call()
        if token.kind in (Kind.BREAK, Kind.CONTINUE):
            return self._jump(token)
        if token.kind is Kind.END:
            position = self._expect("end", Kind.RIGHT_DELIMITER).position
            return nodes.Word(position=position, word="end")
        if token.kind is Kind.ELSE:
            following = self._peek_word()
            if following.kind not in (Kind.IF, Kind.WITH):
                following = self._expect("else", Kind.RIGHT_DELIMITER)
            return nodes.Word(position=following.position, word="else")
        self._back()
        position = self._peek().position
        return nodes.Action(position=position, pipeline=self._pipeline("command", Kind.RIGHT_DELIMITER))

    def _jump(self, token: Token) -> nodes.Node:
        word = f"{{{{{token.text}}}}}"
        following = self._next_word()
        if following.kind is not Kind.RIGHT_DELIMITER:
            raise self._unexpected(following, word)
        if not self._ranges:
            raise self._failure(f"{word} outside {{{{range}}}}")
        return nodes.Word(position=token.position, word=token.text)

    def _branch(self, word: str, position: int) -> nodes.Branch:
        known = len(self._variables)
        pipeline = self._pipeline(word, Kind.RIGHT_DELIMITER)
        self._ranges += word == "range"
        body, closing = self._list()
        self._ranges -= word == "range"
        otherwise = self._otherwise(word, closing) if closing.word == "else" else None
        del self._variables[known:]
        return nodes.Branch(
            position=pipeline.position, word=word, pipeline=pipeline, body=body, otherwise=otherwise
        )

    def _otherwise(self, word: str, closing: nodes.Word) -> nodes.Block:
        """What follows `else`; `else if` and `else with` share the `end` of what they continue."""
        continued = {"if": Kind.IF, "with": Kind.WITH}.get(word)
        if self._peek().kind is continued:
            position = self._next().position
            return nodes.Block(position=closing.position, nodes=[self._branch(word, position)])
        body, end = self._list()
        if end.word != "end":
            raise self._failure(f"expected end; found {end}")
        return body

    def _block(self) -> nodes.Call:
        context = "block clause"
        token = self._expect(context, Kind.STRING, Kind.RAW_STRING)
        name = self._string(token)
        pipeline = self._pipeline(context, Kind.RIGHT_DELIMITER)
        self._add(name, self._nested(context))
        return nodes.Call(position=token.position, name=name, quoted=quoted(name), pipeline=pipeline)

    def _call(self) -> nodes.Call:
        context = "template clause"
        token = self._expect(context, Kind.STRING, Kind.RAW_STRING)
        name = self._string(token)
        pipeline = None
        if self._next_word().kind is not Kind.RIGHT_DELIMITER:
            self._back()
            pipeline = self._pipeline(context, Kind.RIGHT_DELIMITER)
        return nodes.Call(position=token.position, name=name, quoted=quoted(name), pipeline=pipeline)

    # Pipelines

    def _pipeline(self, context: str, end: Kind) -> nodes.Pipeline:
        pipeline = nodes.Pipeline(position=self._peek_word().position)
        self._declarations(pipeline, context)
        while (token := self._next_word()).kind is not end:
            if token.kind not in _OPERANDS:
                raise self._unexpected(token, context)
            self._back()
            pipeline.commands.append(self._command())
        if not pipeline.commands:
            raise self._failure(f"missing value for {context}")
        for stage, command in enumerate(pipeline.commands[1:], 2):
            if isinstance(command.arguments[0], _VALUES):
                raise self._failure(f"non executable command in pipeline stage {stage}")
        return pipeline

    def _declarations(self, pipeline: nodes.Pipeline, context: str) -> None:
        while (variable := self._peek_word()).kind is Kind.VARIABLE:
            self._next()
            adjacent = self._peek()
            following = self._peek_word()
            comma = following.kind is Kind.CHAR and following.text == ","
            if not comma and following.kind not in (Kind.ASSIGN, Kind.DECLARE):
                self._push(*([variable, adjacent] if adjacent.kind is Kind.SPACE else [variable]))
                return
            self._next_word()
            pipeline.declared.append(
                nodes.Variable(position=variable.position, names=tuple(variable.text.split(".")))
            )
            self._variables.append(variable.text)
            if not comma:
                pipeline.assigns = following.kind is Kind.ASSIGN
                return
            if context != "range" or len(pipeline.declared) > 1:
                raise self._failure(f"too many declarations in {context}")
            if self._peek_word().kind not in (Kind.VARIABLE, Kind.RIGHT_DELIMITER, Kind.RIGHT_PAREN):
                raise self._failure("range can only initialize variables")

    def _command(self) -> nodes.Command:
        command = nodes.Command(position=self._peek_word().position)
        while True:
            self._peek_word()
            operand = self._operand()
            if operand is not None:
                command.arguments.append(operand)
            token = self._next()
            if token.kind is Kind.SPACE:
                continue
            if token.kind in (Kind.RIGHT_DELIMITER, Kind.RIGHT_PAREN):
                self._back()
            elif token.kind is not Kind.PIPE:
                raise self._unexpected(token, "operand")
            break
        if not command.arguments:
            raise self._failure("empty command")
        return command

    def _operand(self) -> nodes.Node | None:
        node = self._term()
        if node is None or self._peek().kind is not Kind.FIELD:
            return node
        position = self._peek().position
        names: list[str] = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().text[1:])
        if isinstance(node, (nodes.Field, nodes.Variable)):
            return type(node)(position=position, names=(*node.names, *names))
        if isinstance(node, _VALUES):
            raise self._failure(f"unexpected . after term {quoted(str(node))}")
        return nodes.Chain(position=position, node=node, names=tuple(names))

    def _term(self) -> nodes.Node | None:
        token = self._next_word()
        match token.kind:
            case Kind.IDENTIFIER:
                if token.text not in self._functions:
                    raise self._failure(f"function {quoted(token.text)} not defined")
                return nodes.Identifier(position=token.position, name=token.text)
            case Kind.DOT:
                return nodes.Dot(position=token.position)
            case Kind.NIL:
                return nodes.Nil(position=token.position)
            case Kind.VARIABLE:
                if token.text not in self._variables:
                    raise self._failure(f"undefined variable {quoted(token.text)}")
                return nodes.Variable(position=token.position, names=(token.text,))
            case Kind.FIELD:
                return nodes.Field(position=token.position, names=(token.text[1:],))
            case Kind.LEFT_PAREN:
                return self._pipeline("parenthesized pipeline", Kind.RIGHT_PAREN)
            case Kind.BOOL | Kind.NUMBER | Kind.CHARACTER | Kind.STRING | Kind.RAW_STRING:
                return self._constant(token)
        self._back()
        return None

    def _constant(self, token: Token) -> nodes.Constant:
        value: bool | int | float | str
        if token.kind is Kind.BOOL:
            value = token.text == "true"
        elif token.kind in (Kind.STRING, Kind.RAW_STRING):
            value = self._string(token)
        else:
            try:
                value = number(token.text)
            except ValueError as error:
                raise self._failure(str(error)) from error
        return nodes.Constant(position=token.position, value=value, source=token.text)

    def _string(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except (ValueError, OverflowError) as error:
            raise self._failure("invalid syntax") from error


def _closes(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Word) and node.word in ("else", "end")
