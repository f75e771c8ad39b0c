"""Go templates, as Docker's `--format` takes them."""

from __future__ import annotations

from millefeuille.docker.template import nodes
from millefeuille.docker.template.evaluator import Evaluator
from millefeuille.docker.template.functions import FUNCTIONS, HEADER_FUNCTIONS
from millefeuille.docker.template.parser import parse
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template; it can be executed many times."""

    text: str
    trees: dict[str, nodes.Block] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises TemplateSyntaxError, whose message starts with `template: :LINE: `."""
        return cls(text, parse(text, FUNCTIONS))

    def execute(
        self, data: object, *, strict: bool = False, header: bool = False, output: list[str] | None = None
    ) -> str:
        """The text for `data`, made of the values that template.values describes.

        `strict` makes an unknown key of a map an error. `header` lets Docker's functions pass on the names
        of columns unchanged. `output` gets the text bit by bit, also what comes before an error.
        Raises TemplateExecutionError.
        """
        functions = HEADER_FUNCTIONS if header else FUNCTIONS
        parts = [] if output is None else output
        Evaluator(self.text, self.trees, functions, strict, parts).run(data)
        return "".join(parts)
