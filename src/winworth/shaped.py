"""A document becomes its dataclass, checked by type; every fault is told at once, with the nearest known word."""

import dataclasses
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

from winworth.errors import ConfigError, did_you_mean

_SAID = {
    **dict.fromkeys(("tuple_type", "list_type"), "must be a list, as [A, B]"),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "must be a day, as 2026-06-30",
    ),
}  # in place of the library's words, by its kind of fault


def shaped(shape: type, document: dict, where: str) -> Any:
    """Check a document against its dataclass, and report every fault at once."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(shape).validate_python(document)
    except ValidationError as error:
        faults = [_fault(shape, fault, where) for fault in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(faults))) from error


def _fault(shape: type, fault: dict, where: str) -> str:
    path = [str(part) for part in fault["loc"]]
    place = f"{where}: {'.'.join(path)}" if path else where
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is not a setting. {did_you_mean(path[-1], _keys_at(shape, fault['loc'][:-1]))}"
    if fault["type"] in ("missing", "missing_argument"):
        return f"{place} is missing. Write it."
    says = f"{place}: {_SAID.get(fault['type'], fault['msg'].removeprefix('Value error, '))}"
    return f"{says}." if isinstance(fault["input"], dict) else f"{says} (found {str(fault['input'])[:60]!r})."


def _keys_at(shape: Any, path: tuple) -> list[str]:
    """Name the keys that a dataclass knows at a place inside it."""
    if get_origin(shape) in (Union, types.UnionType):
        shape = next((arg for arg in get_args(shape) if arg is not type(None)), shape)
    if not path:
        return [f.name for f in dataclasses.fields(shape)] if dataclasses.is_dataclass(shape) else []
    if dataclasses.is_dataclass(shape):
        return _keys_at(get_type_hints(shape).get(path[0], Any), path[1:])
    inner = get_args(shape)
    if not inner:
        return []
    return _keys_at(inner[1] if len(inner) == 2 and inner[1] is not Ellipsis else inner[0], path[1:])
