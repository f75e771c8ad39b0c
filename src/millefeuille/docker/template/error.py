"""What can go wrong with a template."""

from __future__ import annotations

from millefeuille.errors import Failed, Invalid


class TemplateSyntaxError(Invalid):
    """The text is not a template; the message is Go's, without a prefix."""


class TemplateExecutionError(Failed):
    """The template does not fit its data; the message is Go's, without a prefix."""
