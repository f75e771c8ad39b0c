"""The completion script for bash; needs no bash-completion package."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.faces.cli.completion.vocabulary import CONTAINERS, IMAGES, Place, completing, flags

_HEAD: Final = f"""# bash completion for mille

_mille_images() {{
    mille {IMAGES} 2>/dev/null | grep -v '<none>'
}}

_mille_containers() {{
    mille {CONTAINERS} 2>/dev/null
}}

_mille() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" current place="" previous="" word
    local words="" flags="" valued="" files="" directories="" arguments=""
    local -a typed
    # Bash splits words at colons and equals signs; image names hold colons, so blanks alone count here.
    read -ra typed <<<"$line"
    current="${{line##*[[:space:]]}}"
    [[ -n $current ]] && unset 'typed[${{#typed[@]}}-1]'
    _mille_place
    for word in "${{typed[@]:1}}"; do
        if [[ " $valued " == *" $previous "* ]]; then
            previous=""
            continue
        fi
        previous="$word"
        [[ $word == -* || " $words " != *" $word "* ]] && continue
        place="${{place:+$place }}$word"
        _mille_place
    done
    COMPREPLY=()
    if [[ -n $previous && " $directories " == *" $previous "* ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
    elif [[ -n $previous && " $files " == *" $previous "* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    elif [[ -n $previous && " $valued " == *" $previous "* ]]; then
        return
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$current")
    else
        case "$arguments" in
            file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
            directory) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
            container) mapfile -t COMPREPLY < <(compgen -W "$words $(_mille_containers)" -- "$current") ;;
            image) mapfile -t COMPREPLY < <(compgen -W "$words $(_mille_images)" -- "$current") ;;
            *) mapfile -t COMPREPLY < <(compgen -W "$words $arguments" -- "$current") ;;
        esac
    fi
    if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
        COMPREPLY=("${{COMPREPLY[@]#"${{current%:*}}:"}}")
    fi
}}
"""

_TAIL: Final = """complete -o filenames -F _mille mille
"""


def script(places: Sequence[Place]) -> str:
    """The whole script."""
    cases = "".join(_case(place) for place in places)
    chooser = (
        '_mille_place() {\n    words="" flags="" valued="" files="" directories="" arguments=""\n'
        f'    case "$place" in\n{cases}    esac\n}}\n'
    )
    return f"{_HEAD}\n{chooser}\n{_TAIL}"


def _case(place: Place) -> str:
    arguments = place.complete if isinstance(place.complete, str) else " ".join(place.complete)
    values = {
        "words": " ".join(word for word, _ in place.words),
        "flags": " ".join(flags(place.options)),
        "valued": " ".join(flags(place.options, valued=True)),
        "files": " ".join(completing(place.options, "file")),
        "directories": " ".join(completing(place.options, "directory")),
        "arguments": arguments,
    }
    pattern = " | ".join(f'"{name}"' for name in place.names)
    lines = "".join(f'            {name}="{value}"\n' for name, value in values.items() if value)
    return f"        {pattern})\n{lines}            ;;\n"
