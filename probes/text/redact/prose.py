"""Secrets in sentences: `the password is X`, `login with password X`, `api key: X`.

There a name is a word like any other (`password reset`, `SELECT password FROM`): only what
looks like no word is taken for the secret.
"""

from __future__ import annotations

import re

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.names import PASSWORDS
from perftui.probes.text.redact.randomness import looks_random
from perftui.probes.text.redact.shapes import MASK

_OF = r"(?:\s{1,4}(?:for|of|on)\s{1,4}\S{1,60})?"
_IS = _OF + r"(?P<is>\s{1,4}(?:is|was|be|to|ist|lautet)(?::|\b)|\s{0,4}[:=])?"
_VALUE = r"\s{1,4}[\"'`]?(?P<value>[^\s\"'`]{4,128})"
_PASSWORD = pattern(
    rf"(?<![\w.$@/-])(?:{'|'.join(sorted(PASSWORDS))}|pw|pwd){_IS}{_VALUE}", re.IGNORECASE
)
_TOKEN = pattern(
    r"(?<![\w.$@/-])(?:(?P<owner>api|access|secret|private|account|auth|encryption|signing|master"
    rf"|licen[cs]e|admin)[ ](?:key|token)|token|secret|apikey){_IS}{_VALUE}",
    re.IGNORECASE,
)
_CLOSING = ".,;:)]}>"
_SIGNS = frozenset("!@#$%^&*+~?")
_NO_WORD = frozenset("/=(){}[]<>|\\")
"""In them: it is a path, a call, an assignment, code."""
_FILE = pattern(r".*\.[A-Za-z]{1,8}\d?|.*@[\w-]+\.[\w.-]+")
"""A file, a module, an address."""
_NUMBERED = pattern(
    r"(?:sha|md|base|utf|int|uint|float|varchar|char|text|string|bytea|bcrypt|argon|pbkdf|scrypt"
    r"|oauth|http|tls|ssl|aes|rsa|ntlm|v|ver|version|test|tests|file|field|column|col|table|user"
    r"|users|backup|step|part|page|reset|check|policy|release|rev|level|phase|example|option|item"
    r"|job|task|run|node|host|server|db|data|line|row|id|key|group|case|python|py)"
    r"[_-]?\d{1,8}(?:id|kdf2?|le|be)?",
    re.IGNORECASE,
)
"""`password sha256`, `password column2`: named with a number."""


def redact_prose(text: str) -> str:
    """Mask what a sentence tells as a password or a key."""
    if " " not in text and "\t" not in text:
        return text
    return _TOKEN.sub(_token, _PASSWORD.sub(_password, text))


def _password(match: re.Match[str]) -> str:
    return _masked(match, _looks_chosen(match["value"].rstrip(_CLOSING)))


def _token(match: re.Match[str]) -> str:
    value = match["value"].rstrip(_CLOSING)
    told = match["owner"] is not None and match["is"] is not None
    return _masked(match, _looks_chosen(value) if told else looks_random(value))


def _masked(match: re.Match[str], is_secret: bool) -> str:
    if not is_secret:
        return match[0]
    value = match["value"]
    behind = value[len(value.rstrip(_CLOSING)) :]
    return match[0][: match.start("value") - match.start()] + MASK + behind


def _looks_chosen(value: str) -> bool:
    """Tell whether a text is no word: letters with digits or signs among them."""
    if value.startswith(("$", "-")) or len(value) < 6 or not _NO_WORD.isdisjoint(value):
        return False
    if _FILE.fullmatch(value) or _NUMBERED.fullmatch(value):
        return False
    has_letter = any(char.isalpha() for char in value)
    return has_letter and any(char.isdigit() or char in _SIGNS for char in value)
