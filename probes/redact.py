"""Secrets in command lines: taken out before anything is shown or written.

Whole words decide (`--token X`, not `--tokenizer X`): a filter that also hides harmless
arguments gets switched off.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK = "***"

_WORDS = frozenset(
    [
        *("password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "apikey"),
        *("credential", "credentials", "auth", "authorization", "bearer", "cookie", "dsn"),
        *("accountkey", "sas"),
    ]
)
_PAIRS = frozenset(
    [
        ("api", "key"),
        ("access", "key"),
        ("account", "key"),
        ("secret", "key"),
        ("private", "key"),
        ("signing", "key"),
        ("encryption", "key"),
        ("session", "key"),
        ("shared", "key"),
        ("connection", "string"),
    ]
)
_REFERENCES = frozenset(
    [
        *("file", "path", "dir", "name", "type", "mode", "method", "provider", "url", "uri"),
        *("limit", "count", "length", "ttl", "env", "id"),
    ]
)
"""`--token-file F` names a place, not a secret."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40}://)(?P<user>[^/?#\s@:]*):[^/\s]*@")
_KEY_ONLY_USERINFO = re.compile(r"(?P<scheme>https?://)(?P<secret>[^/?#\s@:]{16,})@")
_TOKEN_SHAPES = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|sk-[\w-]{16,}|sk_(?:live|test)_\w{10,}|xox[abeoprs]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|hf_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r")"
)
# Bounded, as every position of a long word is a beginning: without it 64 KiB take a minute.
_ASSIGNMENT = re.compile(
    r"""(?P<name>[A-Za-z][A-Za-z0-9_.-]{0,100})(?P<sign>["']?\s*[=:]\s*)"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^\s&;,"']+)"""
)
_AUTH_HEADER = re.compile(
    r"(?P<name>(?:proxy-)?authorization\s*[:=]\s*)(?:(?P<scheme>basic|bearer|token)\s+)?\S+",
    re.IGNORECASE,
)
_WHOLE_ASSIGNMENT = re.compile(r"(?P<flag>-{0,2}(?P<name>[A-Za-z][A-Za-z0-9_.-]*)=).*", re.DOTALL)
_SHORT_FLAGS = {
    "curl": ("-u", "-U"),
    "mysql": ("-p",),
    "mysqldump": ("-p",),
    "redis-cli": ("-a",),
    "sshpass": ("-p",),
}


def is_secret_name(name: str) -> bool:
    """Tell whether a flag or variable of this name holds a secret: --api-key, DB_PASSWORD."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _REFERENCES:
        return False
    return any(word in _WORDS or word.endswith(("password", "passwd")) for word in words) or any(
        pair in _PAIRS for pair in pairwise(words)
    )


def redact_text(text: str) -> str:
    """Take secrets out of one free text: URLs with passwords, NAME=VALUE, known token shapes."""
    text = _AUTH_HEADER.sub(lambda m: f"{m['name']}{m['scheme'] or ''}{_gap(m)}{MASK}", text)
    text = _USERINFO.sub(rf"\g<scheme>\g<user>:{MASK}@", text)
    text = _KEY_ONLY_USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    text = _TOKEN_SHAPES.sub(MASK, text)
    return _ASSIGNMENT.sub(_mask_assignment, text)


def redact_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """Take the secrets out of a command line; everything else stays as it is."""
    redacted: list[str] = []
    program = argv[0].rpartition("/")[2] if argv else ""
    short_flags = _SHORT_FLAGS.get(program, ())
    value_is_secret = False
    for argument in argv:
        if value_is_secret and not argument.startswith("--"):
            redacted.append(MASK)
            value_is_secret = False
            continue
        value_is_secret = False
        if argument in short_flags:
            redacted.append(argument)
            value_is_secret = program not in ("mysql", "mysqldump")
            continue
        glued = next((flag for flag in short_flags if argument.startswith(flag)), None)
        if glued is not None and not argument.startswith("--"):
            redacted.append(glued + MASK)
            continue
        if argument.startswith("-") and "=" not in argument and ":" not in argument:
            value_is_secret = is_secret_name(argument)
        redacted.append(_redact_argument(argument))
    return tuple(redacted)


def _redact_argument(argument: str) -> str:
    whole = _WHOLE_ASSIGNMENT.fullmatch(argument)
    # All of it: a password may hold commas and blanks.
    if whole is not None and is_secret_name(whole["name"]):
        return whole["flag"] + MASK
    return redact_text(argument)


def _gap(match: re.Match[str]) -> str:
    return " " if match["scheme"] else ""


def _mask_assignment(match: re.Match[str]) -> str:
    done = match["name"].lower().endswith("authorization") or match["value"].startswith(MASK)
    if done or not is_secret_name(match["name"]):
        return match[0]
    return f"{match['name']}{match['sign']}{MASK}"
