"""Parameters of a scenario: what a value may be, how it is written and what to say if it is wrong.

Values arrive as text (`-p rows=1000`, the child's argv) and leave as text (titles, argv), so
every kind of parameter knows both directions.
"""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from perftui.probes.text.units import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Kind = Literal["str", "int", "float", "bool", "size", "choice", "text"]
"""`text`: the type is not known here; the value is passed on as it was written."""

_WHOLE = re.compile(r"([+-]?\d[\d_]*)([kMG]?)")
_WHOLE_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_SIZE_UNITS = (("PB", 10**15), ("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


class ScenarioError(ValueError):
    """A scenario cannot be run as asked; the message is one sentence that says what to do."""


class Size(int):
    """A number of bytes that is written like "300MB" or "1.5GiB"."""

    def __new__(cls, value: int | str) -> Size:
        """Take bytes, or text as `parse_bytes` reads it.

        Raises:
            ValueError: The text is not a size.
        """
        return super().__new__(cls, parse_bytes(value) if isinstance(value, str) else value)

    def __str__(self) -> str:
        value = int(self)
        for name, factor in _SIZE_UNITS:
            if factor <= value < 10_000 * factor:
                text = f"{value / factor:.3f}".rstrip("0").rstrip(".") + name
                if parse_bytes(text) == value:
                    return text
        return str(value)


@dataclass(frozen=True, slots=True)
class Range:
    """The values that a number may have, both ends included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Expression:
    """A default that only the interpreter which runs the code can know."""

    source: str


class _Required:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One keyword of a scenario."""

    name: str
    kind: Kind
    default: object = REQUIRED
    choices: tuple[object, ...] = ()
    range: Range | None = None
    help: str = ""
    optional: bool = False
    """None is a value too, written "none"."""

    def parse(self, text: str) -> object:
        """Read a value.

        Raises:
            ScenarioError: It is not one; the sentence says what is accepted.
        """
        if self.optional and text.lower() == "none":
            return None
        try:
            value = self._parse(text)
        except (ValueError, OverflowError):
            raise self._refused(text) from None
        in_range = self.range is None or (
            isinstance(value, int | float) and self.range.low <= value <= self.range.high
        )
        if not in_range:
            raise self._refused(text)
        return value

    def _parse(self, text: str) -> object:
        if self.kind == "int":
            match = _WHOLE.fullmatch(text.strip())
            if match is None:
                raise ValueError(text)
            return int(match[1]) * _WHOLE_UNITS[match[2]]
        if self.kind == "float":
            return float(text)
        if self.kind == "size":
            return Size(text)
        if self.kind == "bool":
            word = text.strip().lower()
            if word not in _YES | _NO:
                raise ValueError(text)
            return word in _YES
        if self.kind == "choice":
            by_text = {str(choice): choice for choice in self.choices}
            if text not in by_text:
                raise ValueError(text)
            return by_text[text]
        return text

    def _refused(self, text: str) -> ScenarioError:
        return ScenarioError(f"{self.name}={text}: {self.name} is {self.accepts()}")

    def accepts(self) -> str:
        """What a value may be, as the end of a sentence: "a whole number from 1 to 100"."""
        words = {
            "str": "text",
            "text": "text",
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "size": "a size like 300MB or 1.5GiB",
            "choice": _any_of([str(choice) for choice in self.choices]),
        }[self.kind]
        if self.range is not None:
            low, high = (self._bound(end) for end in (self.range.low, self.range.high))
            words += f" from {low} to {high}"
        return words + (" or none" if self.optional else "")

    def _bound(self, value: float) -> str:
        if self.kind == "size":
            return str(Size(int(value)))
        return f"{value:_}" if self.kind == "int" else f"{value:g}"

    def format(self, value: object) -> str:
        """Write a value so that `parse` gives it back."""
        if value is None:
            return "none"
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.source if isinstance(value, Expression) else str(value)


def bind(parameters: Sequence[Parameter], assignments: Iterable[str]) -> dict[str, object]:
    """Read `NAME=VALUE` texts into the keyword arguments of a scenario, defaults filled in.

    A default that is an `Expression` is left out: the function itself supplies it.

    Raises:
        ScenarioError: An unknown name, a bad value or a missing one.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    given: dict[str, object] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name = name.strip()
        if not equals:
            raise ScenarioError(f"a parameter is written NAME=VALUE, not {assignment!r}")
        parameter = by_name.get(name) or by_name.get(name.replace("-", "_"))
        if parameter is None:
            raise ScenarioError(_unknown(name, list(by_name)))
        given[parameter.name] = parameter.parse(text)
    values: dict[str, object] = {}
    for parameter in parameters:
        if parameter.name in given:
            values[parameter.name] = given[parameter.name]
        elif parameter.default is REQUIRED:
            raise ScenarioError(
                f"parameter {parameter.name} has no default: "
                f"add -p {parameter.name}=VALUE ({parameter.accepts()})"
            )
        elif not isinstance(parameter.default, Expression):
            values[parameter.name] = parameter.default
    return values


def assignments(parameters: Sequence[Parameter], values: Mapping[str, object]) -> list[str]:
    """Write values as `NAME=VALUE`, in the order of the parameters."""
    return [
        f"{parameter.name}={parameter.format(values[parameter.name])}"
        for parameter in parameters
        if parameter.name in values
    ]


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which known names look like `name`: " (did you mean a or b?)", or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    if not close:
        # One word of a longer name: "streem" means stream-vs-collect.
        words = {word: other for other in reversed(known) for word in other.split("-")}
        close = [words[word] for word in get_close_matches(name.lower(), words, n=1, cutoff=0.6)]
    return f" (did you mean {_any_of(close)}?)" if close else ""


def _unknown(name: str, known: Sequence[str]) -> str:
    listed = f"the parameters are {', '.join(known)}" if known else "it has no parameters"
    return f"unknown parameter {name!r}{nearest(name, known)}; {listed}"


def _any_of(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing"


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Read the parameters of a function from its signature.

    A parameter without annotation takes the type of its default, else it is text.

    Raises:
        ScenarioError: A parameter that must be given cannot be given by name.
    """
    hints = get_type_hints(function, include_extras=True)
    return tuple(
        parameter_from_type(
            name=item.name,
            annotation=hints.get(item.name),
            default=REQUIRED if item.default is item.empty else item.default,
        )
        for item in named_parameters(function)
    )


def named_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters that can be given by name, in order; see `parameters_of` for errors."""
    named = []
    for item in inspect.signature(function).parameters.values():
        if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY):
            named.append(item)
        elif item.kind is item.POSITIONAL_ONLY and item.default is item.empty:
            raise ScenarioError(
                f"{item.name} of {function.__name__} cannot be given by name: "
                "move it behind the / in the signature"
            )
    return named


def parameter_from_type(name: str, annotation: object, default: object) -> Parameter:
    """Make a parameter from what is known about its type; `annotation` None is unknown."""
    bounds: Range | None = None
    help_text = ""
    if get_origin(annotation) is Annotated:
        annotation, *extras = get_args(annotation)
        bounds = next((extra for extra in extras if isinstance(extra, Range)), None)
        help_text = next((extra for extra in extras if isinstance(extra, str)), "")
    optional = default is None
    if get_origin(annotation) in (Union, types.UnionType):
        arms = [arm for arm in get_args(annotation) if arm is not types.NoneType]
        optional = optional or len(arms) < len(get_args(annotation))
        annotation = arms[0] if len(arms) == 1 else None
    choices: tuple[object, ...] = ()
    if get_origin(annotation) is Literal:
        kind: Kind = "choice"
        choices = get_args(annotation)
    else:
        known = default is not None and not isinstance(default, _Required | Expression)
        kind = _kind_of(annotation, type(default) if annotation is None and known else None)
    return Parameter(name, kind, default, choices, bounds, help_text, optional)


def _kind_of(annotation: object, default_type: type | None) -> Kind:
    wanted = default_type if annotation is None else annotation
    kinds: tuple[tuple[type, Kind], ...] = (
        (Size, "size"),
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (str, "str"),
    )
    for candidate, kind in kinds:
        if wanted is candidate:
            return kind
    return "text"
