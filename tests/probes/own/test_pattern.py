"""Patterns that wait until they are used."""

import re

import pytest

from perftui.probes.own.pattern import pattern


def test_it_does_what_the_compiled_one_does() -> None:
    late, early = pattern(r"(?P<word>[a-z]+)", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)", re.I)
    text = "one Two 3"
    assert late.findall(text) == early.findall(text)
    assert late.sub("x", text) == early.sub("x", text)
    assert [found["word"] for found in late.finditer(text)] == ["one", "Two"]
    assert late.match(text, 4) is not None and late.fullmatch(text) is None
    assert late.groupindex == early.groupindex


def test_nothing_is_compiled_before_it_is_used() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.search("x")
    with pytest.raises(AttributeError):
        pattern("x").no_such_method  # noqa: B018
