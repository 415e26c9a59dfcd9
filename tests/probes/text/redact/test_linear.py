"""Long and hostile texts: the time grows with the length, and nothing is found twice."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perftui.probes.text.redact import MASK, redact_argv, redact_text
from perftui.probes.text.redact.values import is_harmless

_32_KIB = 32_768
_MOST_CPU_S = 5.0
"""Of what takes 5 to 150 ms; what is not linear takes minutes."""
UNITS = (
    *("x", "Ab1-", "=", ":", '"', "'", "\\", " ", "\n", "{", "(", "<", "<a>", "-", "@", "$(", "\t"),
    *("password=", "password= ", "password={", "password=a,", "password\t\t", "--password "),
    *("token:", "cookie: a;", "password: |\n ", "a://", "http://a:b", "http://a:b@", "eyJ", "a:b@"),
    *("eyJaaaaaaaa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "Bearer ", "Basic ", "curl "),
    *("curl '", "mysql -p", "identified by ", "'password':'", '\\"password\\":\\"', "&a=b", "if "),
    *(
        '{"password":"x y"},',
        "lambda a, ",
        "<password>",
        "name: TOKEN value: ",
        "password=$(",
        "a.",
    ),
    *("login a password ", "oracle:thin:a/", "a=b;", "Pwd=a;", "basic-", "SharedAccessSignature "),
    *("password=(", "password=f(", "x_password", "'''", "password='''", "; ", "sh -c 'a' "),
    *("echo a | sudo -S b | ", "sudo -S <<E\n", "(echo a) | passwd ", "sudo -a ", "echo ", "| "),
    *("password a1b2c3d4 ", "token is ", "&code=a1b2c3d4e5f6", "https://a1b2c3d4@", "a1"),
)


@pytest.mark.parametrize("unit", UNITS)
def test_32_kib_of_anything_take_no_long_time(unit: str) -> None:
    text = unit * (_32_KIB // len(unit))
    began = time.thread_time()
    redact_text(text)
    redact_argv(["prog", text, "--password=" + text])
    redact_argv(["sh", "-c", text])
    assert time.thread_time() - began < _MOST_CPU_S


def test_a_secret_at_the_end_of_a_long_argument_is_found() -> None:
    assert redact_argv(["x", "a b " * 16_000 + "password=zQ7"])[1].endswith(f"password={MASK}")


_PIECES = st.sampled_from(
    [
        *("password", "token", "secret", "--api-key", "X-Api-Key", "Authorization", "Bearer", "pw"),
        *(
            "=",
            ":",
            ": ",
            " ",
            " = ",
            '"',
            "'",
            "\\",
            '\\"',
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            ",",
            ";",
        ),
        *(
            "&",
            "?",
            "\n",
            "$",
            "***",
            "<",
            ">",
            "/",
            "@",
            "://",
            "http://u:p@h",
            "curl",
            "-u",
            "-p",
        ),
        *(
            "sh",
            "-c",
            "mysql",
            "abc",
            "x9",
            "é",
            "|",
            "SECRET 'a'",
            "cookie",
            "Basic",
            "-H",
            "name",
        ),
        *("echo", "|", "sudo", "-S", "passwd", "<<<", "<<E", "is", "a1b2c3d4e5", "code=", "-ume:"),
        *("value", "$(", "`", "-----BEGIN PRIVATE KEY-----", "eyJhbGciOi.eyJhbGciOi.x", "%", "="),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_PIECES, max_size=24).map("".join))
def test_of_a_text_the_second_time_changes_nothing(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_PIECES, max_size=8).map("".join), max_size=6))
def test_of_a_command_line_the_second_time_changes_nothing(argv: list[str]) -> None:
    once = redact_argv(argv)
    assert len(once) == len(argv)
    assert redact_argv(once) == once


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(min_size=6, max_size=40).filter(
        lambda text: text.strip() == text and "***" not in text
    ),
    st.sampled_from(["--password", "--db-passwd", "--passphrase"]),
)
def test_whatever_the_value_it_goes(value: str, flag: str) -> None:
    for argv in (["x", flag + "=" + value, "y"], ["x", flag, value, "y"]):
        redacted = redact_argv(argv)
        if value.startswith("--") and len(argv) == 4:
            continue  # another flag, as argparse sees it
        assert redacted[0] == "x"
        assert redacted[-1] == "y"
        assert MASK in " ".join(redacted) or is_harmless(value, "password")
