"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.faces.cli.completion.vocabulary import CONTAINERS, IMAGES, Place, first_line, flags
from millefeuille.faces.cli.flags import HELP
from millefeuille.faces.cli.options import Option

_HEAD: Final = f"""# fish completion for mille

function __mille_images
    mille {IMAGES} 2>/dev/null | string match --invert --entire '<none>'
end

function __mille_containers
    mille {CONTAINERS} 2>/dev/null
end

# Succeeds when the words typed so far lead to one of the places given.
function __mille_at
    set -l place
    set -l skip 0
    for word in (commandline --tokenize --cut-at-cursor --current-process)[2..]
        if test $skip = 1
            set skip 0
        else if string match --quiet -- '-*' $word
            contains -- $word $__mille_valued; and set skip 1
        else if contains -- (string join ' ' $place $word) $__mille_places
            set --append place $word
        else
            break
        end
    end
    set -l at (string join ' ' $place)
    contains -- "$at" $argv
end

complete --command mille --no-files
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    known = [name for place in places for name in place.names if name]
    known += [f"{name} {word}".strip() for place in places for name in place.names for word, _ in place.words]
    start = flags(places[0].options, valued=True)
    lines = [
        "set --global __mille_places " + " ".join(_quoted(name) for name in sorted(set(known))),
        "set --global __mille_valued " + " ".join(start),
        "",
        *(line for place in places for line in _lines(place)),
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _lines(place: Place) -> Iterator[str]:
    at = "__mille_at " + " ".join(_double(name) for name in place.names)
    begin = f"complete --command mille --condition {_quoted(at)}"
    for word, summary in place.words:
        yield f"{begin} --arguments {word} --description {_quoted(summary)}"
    for option in place.options:
        yield f"{begin} {_flag(option)} --description {_quoted(first_line(option.help))}"
    if place.complete == "image":
        yield f"{begin} --arguments '(__mille_images)'"
    elif place.complete == "container":
        yield f"{begin} --arguments '(__mille_containers)'"
    elif place.complete in ("file", "directory"):
        yield f"{begin} --force-files"
    elif place.complete:
        yield f"{begin} --arguments {_quoted(' '.join(place.complete))}"


def _flag(option: Option[Any]) -> str:
    flag = f"--long-option {option.name}"
    if option.short and option is not HELP:
        flag += f" --short-option {option.short}"
    if not option.switch:
        flag += " --require-parameter"
    if option.complete in ("file", "directory"):
        flag += " --force-files"
    return flag


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _double(text: str) -> str:
    return f'"{text}"'
