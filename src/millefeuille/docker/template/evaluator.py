"""Runs a parsed Go template over data. Source: Go 1.24, text/template/exec.go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from millefeuille.docker.template import nodes
from millefeuille.docker.template.error import TemplateExecutionError
from millefeuille.docker.template.functions import Function
from millefeuille.docker.template.printing import default, shown
from millefeuille.docker.template.values import MISSING, Absent, Missing, Struct, truth, type_name
from millefeuille.oci.gotext import quoted

_MAXIMUM_DEPTH = 100  # of templates within templates; each takes some frames of the interpreter
_STRINGS = "[]string"
_CHECKED = ("string", "int", _STRINGS)


class _Break(Exception):
    """`{{break}}` was met."""


class _Continue(Exception):
    """`{{continue}}` was met."""


class _NoFinal:
    """No value comes from the command before."""


_NO_FINAL = _NoFinal()


class Evaluator:
    """One execution: output so far, variables, and the node that an error would name."""

    def __init__(
        self,
        text: str,
        trees: Mapping[str, nodes.Block],
        functions: Mapping[str, Function],
        strict: bool,
        output: list[str],
    ) -> None:
        self.output = output
        self._text = text
        self._trees = trees
        self._functions = functions
        self._strict = strict
        self._variables: list[tuple[str, object]] = []
        self._node: nodes.Node | None = None
        self._name = ""
        self._depth = 0
        # Whether Go would see the current dot through an interface, as it sees members of untyped values.
        self._interface = False

    def run(self, data: object) -> None:
        """Execute the main template. Raises TemplateExecutionError; `output` keeps what came before."""
        self._variables = [("$", data)]
        try:
            self._block(data, self._trees[""])
        except RecursionError:
            raise self._failure("nested too deeply") from None

    def _failure(self, message: str) -> TemplateExecutionError:
        if self._node is None:
            return TemplateExecutionError(f"template: {self._name}: {message}")
        before = self._text[: self._node.position]
        line, column = 1 + before.count("\n"), len(before[before.rfind("\n") + 1 :].encode())
        return TemplateExecutionError(
            f"template: :{line}:{column}: executing {quoted(self._name)} at <{self._node}>: {message}"
        )

    # Nodes

    def _block(self, dot: object, block: nodes.Block) -> None:
        for node in block.nodes:
            self._walk(dot, node)

    def _walk(self, dot: object, node: nodes.Node) -> None:
        self._node = node
        match node:
            case nodes.Text():
                self.output.append(node.text)
            case nodes.Action():
                value = self._pipeline(dot, node.pipeline)
                if not node.pipeline.declared:
                    self.output.append(shown(value))
            case nodes.Branch(word="range"):
                self._range(dot, node)
            case nodes.Branch():
                self._if_or_with(dot, node)
            case nodes.Call():
                self._call(dot, node)
            case nodes.Word(word="break"):
                raise _Break
            case nodes.Word():
                raise _Continue

    def _if_or_with(self, dot: object, node: nodes.Branch) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        if truth(value):
            seen, self._interface = self._interface, self._interface and node.word != "with"
            self._block(value if node.word == "with" else dot, node.body)
            self._interface = seen
        elif node.otherwise is not None:
            self._block(dot, node.otherwise)
        del self._variables[known:]

    def _range(self, dot: object, node: nodes.Branch) -> None:
        known = len(self._variables)
        value = self._pipeline(dot, node.pipeline)
        declared = len(self._variables)
        seen, self._interface = self._interface, type(value) in (list, dict)
        turned = False
        try:
            for key, member in self._turns(value, node):
                turned = True
                self._assign_turn(node.pipeline, key, member)
                try:
                    self._block(member, node.body)
                except _Continue:
                    pass
                del self._variables[declared:]
        except _Break:
            pass
        self._interface = seen
        if not turned and node.otherwise is not None:
            self._block(dot, node.otherwise)
        del self._variables[known:]

    def _turns(self, value: object, node: nodes.Branch) -> Iterable[tuple[object, object]]:
        if value is None or isinstance(value, (Missing, Absent)):
            return ()
        if isinstance(value, (list, tuple)):
            return enumerate(value)
        if isinstance(value, dict):
            return [(key, value[key]) for key in sorted(value)]
        if isinstance(value, int) and not isinstance(value, bool):
            if len(node.pipeline.declared) > 1:
                raise self._failure(f"can't use {value} to iterate over more than one variable")
            return ((turn, turn) for turn in range(value))
        raise self._failure(f"range can't iterate over {default(value)}")

    def _assign_turn(self, pipeline: nodes.Pipeline, key: object, member: object) -> None:
        """Give the loop's variables their values: with two of them the key comes first."""
        values = (key, member) if len(pipeline.declared) > 1 else (member,)
        for place, (variable, value) in enumerate(zip(pipeline.declared, values, strict=False)):
            if pipeline.assigns:
                self._set(variable.names[0], value)
            else:
                top = len(self._variables) - len(pipeline.declared) + place
                self._variables[top] = (variable.names[0], value)

    def _call(self, dot: object, node: nodes.Call) -> None:
        tree = self._trees.get(node.name)
        if tree is None:
            raise self._failure(f"template {quoted(node.name)} not defined")
        if self._depth == _MAXIMUM_DEPTH:
            raise self._failure(f"exceeded maximum template depth ({_MAXIMUM_DEPTH})")
        argument = self._pipeline(dot, node.pipeline) if node.pipeline is not None else MISSING
        outer = self._variables, self._name, self._interface
        self._variables, self._name, self._interface = [("$", argument)], node.name, False
        self._depth += 1
        self._block(argument, tree)
        self._depth -= 1
        self._variables, self._name, self._interface = outer

    def _set(self, name: str, value: object) -> None:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                self._variables[place] = (name, value)
                return
        raise self._failure(f"undefined variable: {name}")

    def _value_of(self, name: str) -> object:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise self._failure(f"undefined variable: {name}")

    # Pipelines

    def _pipeline(self, dot: object, pipeline: nodes.Pipeline) -> object:
        self._node = pipeline
        value: object = _NO_FINAL
        for command in pipeline.commands:
            value = self._command(dot, command, value)
            if value is None:
                value = MISSING
        for variable in pipeline.declared:
            if pipeline.assigns:
                self._set(variable.names[0], value)
            else:
                self._variables.append((variable.names[0], value))
        return value

    def _command(self, dot: object, command: nodes.Command, final: object) -> object:
        first, arguments = command.arguments[0], command.arguments
        match first:
            case nodes.Field():
                return self._field_node(dot, first, arguments, final)
            case nodes.Chain():
                return self._chain(dot, first, arguments, final)
            case nodes.Identifier():
                return self._function(dot, first, command, final)
            case nodes.Pipeline():
                self._not_a_function(arguments, final)
                return self._pipeline(dot, first)
            case nodes.Variable():
                return self._variable(first, arguments, final)
        self._node = first
        self._not_a_function(arguments, final)
        if isinstance(first, nodes.Nil):
            raise self._failure("nil is not a command")
        return first.value if isinstance(first, nodes.Constant) else dot

    def _not_a_function(self, arguments: Sequence[nodes.Node], final: object) -> None:
        if len(arguments) > 1 or final is not _NO_FINAL:
            raise self._failure(f"can't give argument to non-function {arguments[0]}")

    def _field_node(
        self, dot: object, node: nodes.Field, arguments: Sequence[nodes.Node], final: object
    ) -> object:
        self._node = node
        return self._fields(dot, node.names, arguments, final, self._interface)

    def _chain(
        self, dot: object, node: nodes.Chain, arguments: Sequence[nodes.Node], final: object
    ) -> object:
        self._node = node
        receiver = self._argument(dot, None, node.node)
        return self._fields(receiver, node.names, arguments, final)

    def _variable(self, node: nodes.Variable, arguments: Sequence[nodes.Node], final: object) -> object:
        self._node = node
        value = self._value_of(node.names[0])
        if len(node.names) == 1:
            self._not_a_function(arguments, final)
            return value
        return self._fields(value, node.names[1:], arguments, final)

    def _fields(
        self,
        receiver: object,
        names: Sequence[str],
        arguments: Sequence[nodes.Node],
        final: object,
        interface: bool = False,
    ) -> object:
        seen_as = "interface {}" if interface else None
        for name in names[:-1]:
            outer, receiver = receiver, self._field(receiver, name, False, seen_as)
            # What an untyped map holds is an interface to Go, whatever is in it.
            seen_as = "interface {}" if type(outer) is dict else None
        method = self._method(receiver, names[-1])
        if method is not None:
            return self._call_method(method, names[-1], arguments[1:], final)
        return self._field(receiver, names[-1], len(arguments) > 1 or final is not _NO_FINAL, seen_as)

    def _method(self, receiver: object, name: str) -> Callable[[str], object] | None:
        found = receiver.find(name) if isinstance(receiver, Struct) else None
        if isinstance(receiver, dict):
            found = receiver.get(name)
        return found if callable(found) else None

    def _call_method(
        self, method: Callable[[str], object], name: str, given: Sequence[nodes.Node], final: object
    ) -> object:
        """Call a method, all of which take one text."""
        count = len(given) + (final is not _NO_FINAL)
        if count != 1:
            raise self._failure(f"wrong number of args for {name}: want 1 got {count}")
        values = [self._argument(None, "string", argument) for argument in given]
        return method(str(values[0] if values else self._typed(final, "string")))

    def _field(self, receiver: object, name: str, has_arguments: bool, seen_as: str | None) -> object:
        if isinstance(receiver, Missing):
            if self._strict:
                raise self._failure(f"nil data; no entry for key {quoted(name)}")
            return MISSING
        if receiver is None:
            raise self._failure(f"nil pointer evaluating interface {{}}.{name}")
        if isinstance(receiver, Absent) and name in receiver.fields:
            raise self._failure(f"nil pointer evaluating {type_name(receiver)}.{name}")
        if isinstance(receiver, Struct) and (value := receiver.find(name)) is not MISSING:
            if has_arguments:
                raise self._failure(f"{name} has arguments but cannot be invoked as function")
            return value
        if isinstance(receiver, dict):
            if has_arguments:
                raise self._failure(f"{name} is not a method but has arguments")
            if name not in receiver and self._strict:
                raise self._failure(f"map has no entry for key {quoted(name)}")
            return receiver.get(name, MISSING)
        raise self._failure(f"can't evaluate field {name} in type {seen_as or type_name(receiver)}")

    # Functions

    def _function(self, dot: object, node: nodes.Identifier, whole: nodes.Node, final: object) -> object:
        """Call a function; `whole` is the command that calls it, or the name alone."""
        self._node = node
        function = self._functions[node.name]
        given = whole.arguments[1:] if isinstance(whole, nodes.Command) else []
        self._check_count(node.name, function, len(given), len(given) + (final is not _NO_FINAL))
        if node.name in ("and", "or"):
            return self._short_circuit(dot, node.name, given, final)
        types = [*function.parameters, *[function.rest or ""] * len(given)]
        values = [self._argument(dot, type_, argument) for type_, argument in zip(types, given, strict=False)]
        if final is not _NO_FINAL:
            place = len(values)
            last = function.parameters[place] if place < len(function.parameters) else function.rest
            values.append(self._typed(final, last or "any"))
        try:
            return function.call(*values)
        except ValueError as error:
            self._node = whole
            raise self._failure(f"error calling {node.name}: {error}") from error

    def _check_count(self, name: str, function: Function, given: int, count: int) -> None:
        wanted = len(function.parameters)
        if function.rest is not None and count < wanted:
            raise self._failure(f"wrong number of args for {name}: want at least {wanted} got {given}")
        if function.rest is None and count != wanted:
            raise self._failure(f"wrong number of args for {name}: want {wanted} got {count}")

    def _short_circuit(
        self, dot: object, name: str, arguments: Sequence[nodes.Node], final: object
    ) -> object:
        value: object = MISSING
        for argument in arguments:
            value = self._argument(dot, "value", argument)
            if truth(value) == (name == "or"):
                return value
        return value if final is _NO_FINAL else final

    def _argument(self, dot: object, wanted: str | None, node: nodes.Node) -> object:
        """The value of an argument, checked against the type `wanted` (None for any)."""
        self._node = node
        match node:
            case nodes.Dot():
                return self._typed(dot, wanted)
            case nodes.Nil():
                if wanted in _CHECKED and wanted != _STRINGS:
                    raise self._failure(f"cannot assign nil to {wanted}")
                return None
            case nodes.Field():
                return self._typed(self._field_node(dot, node, [node], _NO_FINAL), wanted)
            case nodes.Variable():
                return self._typed(self._variable(node, (), _NO_FINAL), wanted)
            case nodes.Pipeline():
                return self._typed(self._pipeline(dot, node), wanted)
            case nodes.Identifier():
                return self._typed(self._function(dot, node, node, _NO_FINAL), wanted)
            case nodes.Chain():
                return self._typed(self._chain(dot, node, (), _NO_FINAL), wanted)
        assert isinstance(node, nodes.Constant)
        return self._constant(node, wanted)

    def _constant(self, node: nodes.Constant, wanted: str | None) -> object:
        value = node.value
        if wanted == _STRINGS:
            raise self._failure(f"can't handle {node} for arg of type {wanted}")
        if wanted == "string" and not isinstance(value, str):
            raise self._failure(f"expected string; found {node}")
        if wanted == "int":
            if isinstance(value, float) and value.is_integer():
                return int(value)
            if type(value) is not int:
                raise self._failure(f"expected integer; found {node}")
        return value

    def _typed(self, value: object, wanted: str | None) -> object:
        if wanted == _STRINGS and isinstance(value, Missing):
            return None
        if wanted in _CHECKED:
            if isinstance(value, Missing):
                raise self._failure(f"invalid value; expected {wanted}")
            if type_name(value) != wanted:
                got = "interface {}" if value is None else type_name(value)
                raise self._failure(f"wrong type for value; expected {wanted}; got {got}")
        if wanted == "any" and isinstance(value, Missing):
            return None
        return value
