"""The completion script for zsh."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Any, Final
from millefeuille.faces.cli.completion.vocabulary import (
    CONTAINERS,
    IMAGES,
    Place,
    completing,
    first_line,
    flags,
)
from millefeuille.faces.cli.flags import HELP
from millefeuille.faces.cli.options import Option

_HEAD: Final = f"""#compdef mille
# zsh completion for mille

_mille_images() {{
    local -a images
    images=(${{(f)"$(mille {IMAGES} 2>/dev/null | grep -v '<none>')"}})
    compadd -a images
}}

_mille_containers() {{
    local -a containers
    containers=(${{(f)"$(mille {CONTAINERS} 2>/dev/null)"}})
    compadd -a containers
}}
"""

_MAIN: Final = """_mille() {
    local place="" previous="" word arguments=""
    local -a subcommands switches valued files directories
    _mille_place
    for word in "${(@)words[2,CURRENT-1]}"; do
        if (( ${valued[(Ie)$previous]} )); then
            previous=""
            continue
        fi
        previous="$word"
        [[ $word == -* ]] && continue
        (( ${subcommands[(I)$word:*]} )) || continue
        place="${place:+$place }$word"
        _mille_place
    done
    if [[ -n $previous ]] && (( ${directories[(Ie)$previous]} )); then
        _files -/
    elif [[ -n $previous ]] && (( ${files[(Ie)$previous]} )); then
        _files
    elif [[ -n $previous ]] && (( ${valued[(Ie)$previous]} )); then
        _message 'value'
    elif [[ $PREFIX == -* ]]; then
        _describe -o 'option' switches
    else
        (( $#subcommands )) && _describe 'command' subcommands
        case "$arguments" in
            '') ;;
            file) _files ;;
            directory) _files -/ ;;
            image) _mille_images ;;
            container) _mille_containers ;;
            *) compadd ${=arguments} ;;
        esac
    fi
}

if [[ $funcstack[1] == _mille ]]; then
    _mille "$@"
else
    compdef _mille mille
fi
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    cases = "".join(_case(place) for place in places)
    chooser = (
        '_mille_place() {\n    subcommands=() switches=() valued=() files=() directories=() arguments=""\n'
        f'    case "$place" in\n{cases}    esac\n}}\n'
    )
    return f"{_HEAD}\n{chooser}\n{_MAIN}"


def _case(place: Place) -> str:
    arguments = place.complete if isinstance(place.complete, str) else " ".join(place.complete)
    lists = {
        "subcommands": [_described(word, summary) for word, summary in place.words],
        "switches": [entry for option in place.options for entry in _entries(option)],
        "valued": flags(place.options, valued=True),
        "files": completing(place.options, "file"),
        "directories": completing(place.options, "directory"),
    }
    pattern = "|".join(f'"{name}"' for name in place.names)
    lines = "".join(f"            {name}=({' '.join(items)})\n" for name, items in lists.items() if items)
    return f'        {pattern})\n{lines}            arguments="{arguments}"\n            ;;\n'


def _entries(option: Option[Any]) -> list[str]:
    names = [f"--{option.name}"] + ([f"-{option.short}"] if option.short and option is not HELP else [])
    return [_described(name, first_line(option.help)) for name in names]


def _described(word: str, summary: str) -> str:
    text = f"{word}:{summary}".replace("'", "'\\''")
    return f"'{text}'"
