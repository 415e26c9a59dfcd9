"""What code is called, where nobody can ask further."""

from __future__ import annotations

import pytest

from perftui.probes.profile.place import in_words, name_in_words


@pytest.mark.parametrize(
    ("function", "file", "said"),
    [
        ("enrich", "/app/etl.py", "enrich etl.py:21"),
        ("<module>", "/app/etl.py", "top level etl.py:21"),
        (
            "<module>",
            "/v/lib/python3.12/site-packages/pandas/core.py",
            "import pandas.core core.py:21",
        ),
        ("<genexpr>", "/app/etl.py", "<genexpr> etl.py:21"),
        ("duckdb::Execute", "", "duckdb::Execute"),
    ],
)
def test_code_of_a_module_is_told_in_words(function: str, file: str, said: str) -> None:
    assert in_words(function, file, 21) == said
    assert said.startswith(name_in_words(function, file))
