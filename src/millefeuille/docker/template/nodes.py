"""The tree of a parsed template. `str()` of a node is its source, as error messages quote it."""

from __future__ import annotations

from millefeuille.values import dataclass, field


@dataclass(eq=False, slots=True, kw_only=True)
class Node:
    """A part of a template, and the offset in the text that errors about it name."""

    position: int


@dataclass(eq=False, slots=True, kw_only=True)
class Text(Node):
    """Text between actions."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(eq=False, slots=True, kw_only=True)
class Dot(Node):
    """The current value."""

    def __str__(self) -> str:
        return "."


@dataclass(eq=False, slots=True, kw_only=True)
class Nil(Node):
    """The untyped nil."""

    def __str__(self) -> str:
        return "nil"


@dataclass(eq=False, slots=True, kw_only=True)
class Constant(Node):
    """A boolean, number or string, and how it was written."""

    value: bool | int | float | str
    source: str

    def __str__(self) -> str:
        return self.source


@dataclass(eq=False, slots=True, kw_only=True)
class Identifier(Node):
    """The name of a function."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(eq=False, slots=True, kw_only=True)
class Field(Node):
    """`.A.B`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(eq=False, slots=True, kw_only=True)
class Variable(Node):
    """`$x.A`; the first name holds the `$`."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(eq=False, slots=True, kw_only=True)
class Chain(Node):
    """`(pipeline).A.B`."""

    node: Node
    names: tuple[str, ...]

    def __str__(self) -> str:
        return _parenthesised(self.node) + "".join(f".{name}" for name in self.names)


@dataclass(eq=False, slots=True, kw_only=True)
class Command(Node):
    """A function or value with its arguments."""

    arguments: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(_parenthesised(argument) for argument in self.arguments)


@dataclass(eq=False, slots=True, kw_only=True)
class Pipeline(Node):
    """Commands, each fed the result of the one before; perhaps declaring or assigning variables."""

    declared: list[Variable] = field(default_factory=list)
    assigns: bool = False
    commands: list[Command] = field(default_factory=list)

    def __str__(self) -> str:
        commands = " | ".join(map(str, self.commands))
        if not self.declared:
            return commands
        return ", ".join(map(str, self.declared)) + (" = " if self.assigns else " := ") + commands


@dataclass(eq=False, slots=True, kw_only=True)
class Block(Node):
    """A sequence of nodes."""

    nodes: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))

    @property
    def is_blank(self) -> bool:
        """True when it holds nothing but white space."""
        return all(isinstance(node, Text) and not node.text.strip() for node in self.nodes)


@dataclass(eq=False, slots=True, kw_only=True)
class Action(Node):
    """`{{pipeline}}`."""

    pipeline: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


@dataclass(eq=False, slots=True, kw_only=True)
class Branch(Node):
    """`{{if}}`, `{{with}}` or `{{range}}`, as `word` says."""

    word: str
    pipeline: Pipeline
    body: Block
    otherwise: Block | None

    def __str__(self) -> str:
        otherwise = f"{{{{else}}}}{self.otherwise}" if self.otherwise is not None else ""
        return f"{{{{{self.word} {self.pipeline}}}}}{self.body}{otherwise}{{{{end}}}}"


@dataclass(eq=False, slots=True, kw_only=True)
class Call(Node):
    """`{{template "name" pipeline}}`."""

    name: str
    quoted: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        pipeline = f" {self.pipeline}" if self.pipeline is not None else ""
        return f"{{{{template {self.quoted}{pipeline}}}}}"


@dataclass(eq=False, slots=True, kw_only=True)
class Word(Node):
    """`{{break}}`, `{{continue}}`, `{{else}}` or `{{end}}`."""

    word: str

    def __str__(self) -> str:
        return f"{{{{{self.word}}}}}"


def _parenthesised(node: Node) -> str:
    return f"({node})" if isinstance(node, Pipeline) else str(node)
