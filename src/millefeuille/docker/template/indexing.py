"""index, slice and len as templates know them. Source: Go 1.24, text/template/funcs.go."""

from __future__ import annotations

from millefeuille.docker.template.values import Absent, Missing, Number, TypedMap, type_name


def index(item: object, *indexes: object) -> object:
    """`item[a][b]…`; an unknown key of a map gives its zero value. Raises ValueError."""
    if item is None or isinstance(item, Missing):
        raise ValueError("index of untyped nil")
    for key in indexes:
        item = _indexed(item, key)
    return item


def length(item: object) -> int:
    """The number of members, or of bytes. Raises ValueError."""
    if item is None or isinstance(item, Absent):
        raise ValueError("len of nil pointer")
    if isinstance(item, Missing):
        raise ValueError("reflect: call of reflect.Value.Type on zero Value")
    if isinstance(item, (str, Number)):
        return len(str(item).encode())
    if isinstance(item, (list, tuple, dict)):
        return len(item)
    raise ValueError(f"len of type {type_name(item)}")


def slice_(item: object, *indexes: object) -> object:
    """`item[a:b:c]` of a list or string. Raises ValueError."""
    if item is None or isinstance(item, Missing):
        raise ValueError("slice of untyped nil")
    if len(indexes) > 3:
        raise ValueError(f"too many slice indexes: {len(indexes)}")
    if isinstance(item, (str, Number)):
        if len(indexes) == 3:
            raise ValueError("cannot 3-index slice a string")
        data = str(item).encode()
        start, end = _bounds(indexes, len(data))
        return data[start:end].decode("utf-8", "replace")
    if not isinstance(item, (list, tuple)):
        raise ValueError(f"can't slice item of type {type_name(item)}")
    start, end = _bounds(indexes, len(item))
    return list(item[start:end])


def _bounds(indexes: tuple[object, ...], size: int) -> tuple[int, int]:
    bounds = [0, size]
    for place, value in enumerate(indexes):
        bound = _place(value, size)
        if place < 2:
            bounds[place] = bound
        elif bounds[1] > bound:
            raise ValueError(f"invalid slice index: {bounds[1]} > {bound}")
    if bounds[0] > bounds[1]:
        raise ValueError(f"invalid slice index: {bounds[0]} > {bounds[1]}")
    return bounds[0], bounds[1]


def _place(value: object, size: int) -> int:
    if value is None or isinstance(value, Missing):
        raise ValueError("cannot index slice/array with nil")
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"cannot index slice/array with type {type_name(value)}")
    if not 0 <= value <= size:
        raise ValueError(f"index out of range: {value}")
    return value


def _indexed(item: object, key: object) -> object:
    if item is None or isinstance(item, Absent):
        raise ValueError("index of nil pointer")
    if isinstance(item, (str, Number)):
        data = str(item).encode()
        place = _place(key, len(data))
        if place == len(data):
            raise ValueError("reflect: string index out of range")
        return data[place]
    if isinstance(item, (list, tuple)):
        place = _place(key, len(item))
        if place == len(item):
            raise ValueError("reflect: slice index out of range")
        return item[place]
    if isinstance(item, dict):
        return _looked_up(item, key)
    raise ValueError(f"can't index item of type {type_name(item)}")


def _looked_up(item: dict[str, object], key: object) -> object:
    if key is None or isinstance(key, Missing):
        raise ValueError("value is nil; should be of type string")
    if not isinstance(key, str):
        raise ValueError(f"value has type {type_name(key)}; should be string")
    return item.get(key, item.zero if isinstance(item, TypedMap) else None)
