from __future__ import annotations

import pytest

from perftui.probes.text.redact import is_secret_name, redact_argv, redact_text


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["x", "--token", "abc"], ["x", "--token", "***"]),
        (["x", "--api-key=a,b c"], ["x", "--api-key=***"]),
        (["x", "DB_PASSWORD=q"], ["x", "DB_PASSWORD=***"]),
        (["x", "--secretKey", "v"], ["x", "--secretKey", "***"]),
        (["x", "--password", "-x"], ["x", "--password", "***"]),
        (["x", "--password", "--verbose"], ["x", "--password", "--verbose"]),
        (["x", "postgres://u:p#w@h/db"], ["x", "postgres://u:***@h/db"]),
        (["x", "redis://:pw@h"], ["x", "redis://:***@h"]),
        (["x", "url=https://u:p@h/x?y=1"], ["x", "url=https://u:***@h/x?y=1"]),
        (["/usr/bin/curl", "-u", "me:pw"], ["/usr/bin/curl", "-u", "***"]),
        (["curl", "-H", "Authorization: Bearer abc"], ["curl", "-H", "Authorization: Bearer ***"]),
        (["mysql", "-ppw", "db"], ["mysql", "-p***", "db"]),
        (["x", '{"api_key": "abc", "n": 1}'], ["x", '{"api_key": "***", "n": 1}']),
        (["x", "h?token=abc&n=1"], ["x", "h?token=***&n=1"]),
        (["x", "ghp_" + "a" * 36], ["x", "***"]),
        (["x", "sk-proj-" + "a1" * 12], ["x", "***"]),
        (["x", "AKIA" + "A1B2" * 4], ["x", "***"]),
        (["x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"], ["x", "***"]),
    ],
)
def test_secrets_are_taken_out(argv: list[str], expected: list[str]) -> None:
    assert redact_argv(argv) == tuple(expected)


@pytest.mark.parametrize(
    "argv",
    [
        ["x", "--tokenizer", "path/to", "--max-tokens", "512"],
        ["x", "--token-file", "/run/secrets/t", "--auth-mode", "basic"],
        ["x", "--key", "id", "--sort-key=name", "--keyboard", "us"],
        ["python", "-c", "print('hello: world')"],
        ["x", "http://host:80/a@b", "https://host/x", "me@example.org"],
        ["x", "--path=/home/me/secretary/a", "PATH=/bin"],
        ["x", "-p", "rows=1000", "-u", "name"],
        ["", "-"],
        [],
    ],
)
def test_harmless_arguments_stay(argv: list[str]) -> None:
    assert redact_argv(argv) == tuple(argv)


def test_names_are_compared_by_whole_words() -> None:
    assert is_secret_name("--api-key")
    assert is_secret_name("awsSecretAccessKey")
    assert is_secret_name("PGPASSWORD")
    assert not is_secret_name("--passwordless")
    assert not is_secret_name("")


def test_it_can_be_done_twice() -> None:
    once = redact_text("Authorization: Basic abc --token=x https://u:p@h")
    assert redact_text(once) == once


def test_a_long_word_takes_no_long_time() -> None:
    # Unbounded, this took longer than the suite's time limit.
    words = ["x" * 65_536, "Ab1-" * 16_384, "x" * 65_536 + "_password=q"]
    assert redact_argv(words) == (words[0], words[1], "x" * 65_536 + "_password=***")
