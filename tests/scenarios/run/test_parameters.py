from __future__ import annotations

from typing import Annotated, Literal

import pytest

from perftui.scenarios.define.parameters import (
    REQUIRED,
    Expression,
    Parameter,
    Range,
    ScenarioError,
    Size,
    assignments,
    bind,
    parameters_of,
)

_DEFAULT_SIZE = Size("300MB")


def example(
    mode: Annotated[Literal["stream", "collect"], "how to read"] = "collect",
    size: Annotated[Size, Range(1000, 10**12)] = _DEFAULT_SIZE,
    rows: Annotated[int, Range(1, 10_000_000)] = 1000,
    share: float = 0.5,
    cold: bool = True,
    name: str = "x",
    limit: int | None = None,
) -> None:
    """An example."""


PARAMETERS = parameters_of(example)


def refusal(*texts: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        bind(PARAMETERS, texts)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_signature_gives_kinds_defaults_and_help() -> None:
    assert [(p.name, p.kind) for p in PARAMETERS] == [
        ("mode", "choice"),
        ("size", "size"),
        ("rows", "int"),
        ("share", "float"),
        ("cold", "bool"),
        ("name", "str"),
        ("limit", "int"),
    ]
    assert PARAMETERS[0].help == "how to read"
    assert PARAMETERS[2].range == Range(1, 10_000_000)


def test_defaults_are_filled_in_and_values_typed() -> None:
    values = bind(PARAMETERS, ["size=1.5GB", "rows=20k", "share=2", "cold=no", "limit=7"])
    assert values == {
        "mode": "collect",
        "size": 1_500_000_000,
        "rows": 20_000,
        "share": 2.0,
        "cold": False,
        "name": "x",
        "limit": 7,
    }
    assert isinstance(values["size"], Size)
    assert isinstance(values["share"], float)
    assert values["cold"] is False


def test_a_value_may_hold_an_equals_sign_and_a_name_a_hyphen() -> None:
    assert bind(PARAMETERS, ["name=a=b"])["name"] == "a=b"
    assert bind((Parameter("two_words", "int", 1),), ["two-words=2"]) == {"two_words": 2}


@pytest.mark.parametrize("text", ["rows=0", "rows=10000001", "rows=1.5", "rows=", "rows=many"])
def test_bad_numbers_say_what_is_accepted(text: str) -> None:
    assert refusal(text) == f"{text}: rows is a whole number from 1 to 10_000_000"


def test_other_bad_values_say_what_is_accepted() -> None:
    assert refusal("mode=strea") == "mode=strea: mode is stream or collect"
    assert "from 1kB to 1TB" in refusal("size=10")
    assert "a size like 300MB" in refusal("size=huge")
    assert "true or false" in refusal("cold=perhaps")
    assert "a number" in refusal("share=half")
    assert "a whole number or none" in refusal("limit=few")


def test_not_a_number_is_outside_every_range() -> None:
    parameter = Parameter("x", "float", 1.0, range=Range(0, 1))
    with pytest.raises(ScenarioError, match="from 0 to 1"):
        parameter.parse("nan")


def test_unknown_names_get_the_nearest_and_the_list() -> None:
    message = refusal("mod=stream")
    assert "unknown parameter 'mod'" in message
    assert "did you mean mode?" in message
    assert "mode, size, rows, share, cold, name, limit" in message


def test_an_assignment_without_equals_sign_is_refused() -> None:
    assert refusal("rows") == "a parameter is written NAME=VALUE, not 'rows'"


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(ScenarioError, match="add -p n=VALUE"):
        bind((Parameter("n", "int", REQUIRED),), [])


def test_an_expression_is_left_to_the_function() -> None:
    assert bind((Parameter("n", "text", Expression("LIMIT * 2")),), []) == {}


def test_what_is_written_reads_back() -> None:
    texts = ["mode=stream", "size=1.5GB", "rows=123", "cold=false", "name=a b", "limit=none"]
    values = bind(PARAMETERS, texts)
    written = assignments(PARAMETERS, values)
    assert "size=1.5GB" in written
    assert bind(PARAMETERS, written) == values


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [(300_000_000, "300MB"), (1_500, "1.5kB"), (1_234_567_891, "1234567891"), (0, "0"), (7, "7")],
)
def test_sizes_are_written_without_loss(bytes_: int, text: str) -> None:
    assert str(Size(bytes_)) == text
    assert Size(text) == bytes_


def test_positional_only_parameters_are_refused() -> None:
    def function(n: int, /) -> None: ...

    with pytest.raises(ScenarioError, match="cannot be given by name"):
        parameters_of(function)
