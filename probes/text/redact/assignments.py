r"""NAME=VALUE, `key: value`, "name": "value", --flag VALUE, NAME 'value' anywhere in a text.

One pass from sign to sign: what was looked at is never looked at again, so that 64 KiB of
anything take milliseconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.names import kind_of
from perftui.probes.text.redact.shapes import MASK, redact_shapes
from perftui.probes.text.redact.values import (
    block_end,
    bracket_end,
    cookies_end,
    field_end,
    inside,
    is_harmless,
    line_end,
    quoted,
    scheme_end,
    word_end,
)

if TYPE_CHECKING:
    from perftui.probes.text.redact.names import Kind

_SIGN = pattern(r"[=:]")
_AFTER = pattern(r"[=>~]{0,2}[ \t]{0,64}")
_YAML_NEXT_LINE = pattern(r"\n[ \t]+(?=[^\s:]+[ \t]*(?:\n|$))")
_BEFORE_LINE = pattern(r"(?:^|\n|\\n|[{,]\s|- )[ \t>#|]{0,40}(?:- )?[\"']?$")
_TYPE = pattern(
    r"(?:str|bytes|int|SecretStr|Any|Optional\[\w+\])(?:\s*\|\s*\w+)?\s*=\s*(?=[bBrRfFuU]{0,2}[\"'])"
)
_IDENTIFIER = pattern(r"[^\W\d]\w*(?=$|[\s,;()\"'])")
_BRANCH = pattern(r"\b(?:(?:if|elif|while)\s+(?:not\s+)?|lambda\s+(?:\w+,\s*)*)$")
_CONDITION = pattern(r"\b(?:on|where|and|or|having|using|by)\s+\(?$", re.IGNORECASE)
_COLUMN = pattern(r"[<>=]?\s*[A-Za-z_]\w*\.[A-Za-z_]\w*(?=$|[\s;)\"'])")
_RELEASE = pattern(r"(?:latest|stable|v?\d+(?:\.\d+)*[\w.-]*)(?=$|[\s/,;\"'])")
_PORT = pattern(r"\d{1,5}(?=$|[/\s,\"'])")
_CALL = pattern(r"(?:[A-Za-z_][\w.]{0,60})?\((?!\))")
_FIELDS_BEFORE = pattern(r"(?:^|[;\"'\s])[\w ]{1,40}=[^;=]{0,60};$")
_PAIRED = pattern(
    r"\b(?:[nN]ame|[kK]ey)[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?P<name>[\w.-]{1,80})[\"']?,?\s{1,40}"
    r"[\"']?[vV]alue[\"']?\s{0,8}[:=]\s{0,8}"
)
"""A variable and its value side by side, as in Kubernetes: name: TOKEN, value: X."""
_NETRC = pattern(r"(\blogin\s{1,8}\S{1,100}\s{1,8}password\s{1,8})(?!\*\*\*)\S+")
_LONGEST_CONTEXT = 120

_SPACED = pattern(
    r"(?<![\w.\-])(?P<flag>-{1,2})?(?P<name>[^\W\d][\w.\-]*)"
    r"(?:(?P<close>\\*[\"']),[ \t]{0,8}(?=\\*[bBrRuUfF]?[\"'])|(?P<gap>\s{1,8})(?=[^\s]))"
)
_IDENTIFIED = pattern(
    r"(?i:\bidentified\s{1,8}(?:with\s{1,8}[\w'\"]{1,60}\s{1,8})?(?:by|as)\s{1,8}(?:password\s{1,8})?)(?=['\"])"
)
_ELEMENT = pattern(r"<(?P<name>[A-Za-z][\w:.-]{0,60})>(?P<value>[^<>]+)(?=</)")
_QUOTES = "\"'`"


def redact_assignments(text: str) -> str:
    """Mask the values that follow the name of a secret."""
    text = _signed(text)
    text = _spaced(text)
    if "<" in text:
        text = _ELEMENT.sub(_element, text)
    if "value" in text or "Value" in text:
        text = _paired(text)
    text = _NETRC.sub(rf"\g<1>{MASK}", text)
    return _identified(text)


class _Name(NamedTuple):
    start: int
    text: str
    is_quoted: bool
    """Its own quote closes before the sign: `"name": ...`."""
    delimiter: str
    """The quote that opens just before it and holds name and value: `"name: value"`."""


def _signed(text: str) -> str:
    pieces: list[str] = []
    done = at = 0
    while (sign := _SIGN.search(text, at)) is not None:
        at = sign.end()
        name = _name_before(text, sign.start(), done)
        if name is None:
            continue
        kind = kind_of(name.text)
        if kind is None or _is_other(text, sign.start(), name):
            continue
        span = _value_after(text, sign.start(), name, kind)
        if span is None:
            continue
        start, end, at = span
        value = text[start:end]
        if not is_harmless(value, kind):
            pieces += [text[done:start], redact_connection(value) if kind == "connection" else MASK]
            done = end
        else:
            at = start  # a place may still hold something: `$(curl -H ...)`
        at = max(at, sign.end())
    return "".join([*pieces, text[done:]])


def redact_connection(value: str) -> str:
    """Mask the secret of a connection string, all of it if its secret cannot be told."""
    told = _signed(redact_shapes(value))
    return told if told != value or MASK in value else MASK


def _name_before(text: str, sign: int, done: int) -> _Name | None:
    """Return the name that ends at a sign."""
    end = sign
    while end > done and text[end - 1] in " \t?":
        end -= 1
    closed = end
    while closed > done and text[closed - 1] in "\"'\\]`":
        closed -= 1
    start = closed
    while start > done and (text[start - 1].isalnum() or text[start - 1] in "_.-$@"):
        start -= 1
    name = text[start:closed].lstrip("$@")
    if not name:
        return None
    before = start
    while before > done and before > start - 8 and text[before - 1] in "-":
        before -= 1
    delimiter = ""
    is_quoted = any(sign_ in _QUOTES for sign_ in text[closed:end])
    if not is_quoted and before > done and text[before - 1] in _QUOTES:
        first = before - 1
        while first > done and text[first - 1] == "\\":
            first -= 1
        delimiter = text[first:before]
    return _Name(start, name, is_quoted, delimiter)


def _is_other(text: str, sign: int, name: _Name) -> bool:
    """Tell whether a sign is none of an assignment: a port, a release, an entry point, code."""
    after = sign + 1
    before = text[max(name.start - _LONGEST_CONTEXT, 0) : name.start]
    if text[sign] == "=":
        # SQL: `ON a.token = b.token`.
        return _CONDITION.search(before) is not None and _COLUMN.match(text, after) is not None
    if text.startswith("//", after) or text.startswith(":", after) or text[sign - 1] == ":":
        return True
    if before.endswith(("//", "@")) and _PORT.match(text, after):
        return True
    if (before.endswith(":") and "arn:" in before) or _BRANCH.search(before) is not None:
        return True
    if name.is_quoted or text[after : after + 1].isspace():
        return False
    if before.endswith("/") or _RELEASE.match(text, after):
        return _RELEASE.match(text, after) is not None
    return "." in name.text and _IDENTIFIER.match(text, after) is not None


def _value_after(text: str, sign: int, name: _Name, kind: Kind) -> tuple[int, int, int] | None:
    """Return (start, end, after) of the value behind a sign."""
    after = _AFTER.match(text, sign + 1)
    at = sign + 1 if after is None else after.end()
    is_colon = text[sign] == ":"
    typed = _TYPE.match(text, at) if is_colon else None
    if typed is not None:
        at = typed.end()
    if is_colon and at < len(text):
        block = block_end(text, at)
        if block is not None:
            return text.index("\n", at) + 1, block, block
        below = _YAML_NEXT_LINE.match(text, at)
        if below is not None:
            at = below.end()
    if at >= len(text) or text[at] == "\n":
        return None
    if not name.delimiter or text[at] != name.delimiter[-1]:
        in_quotes = quoted(text, at)
        if in_quotes is not None:
            start, end, behind = in_quotes
            return scheme_end(text, start), end, behind
    if text.startswith("$(", at):
        end = bracket_end(text, at + 1)
        return at, end, end
    call = None if is_colon else _CALL.match(text, at)
    if call is not None:  # auth=("user", "secret"), auth=HTTPBasicAuth("user", "secret")
        end = bracket_end(text, call.end() - 1)
        return at, end, end
    if text[at] in "{[" and not text.startswith("{{", at):
        end = bracket_end(text, at)
        return at, end, end
    limit = len(text)
    if name.delimiter:
        limit = inside(text, at, name.delimiter)
    words = name.text.lower()
    begin = scheme_end(text, at)
    if begin >= limit:
        begin = at
    if is_colon and words.endswith(("authorization", "cookie")) and _is_line(text, name.start):
        newline = text.find("\n", begin, limit)
        end = limit if newline == -1 else newline
    elif is_colon and (name.delimiter or _is_line(text, name.start)):
        end = line_end(text, begin, limit)
    elif name.delimiter:
        end = _delimited_end(text, begin, limit)
    elif not is_colon and _FIELDS_BEFORE.search(text[max(name.start - 120, 0) : name.start]):
        end = field_end(text, begin, limit)
    elif "cookie" in words:
        end = cookies_end(text, begin, limit)
    else:
        end = word_end(text, begin, limit)
    return begin, end, end


def _delimited_end(text: str, at: int, limit: int) -> int:
    """Return where a value ends whose quote holds the name too: `"password=a b"`."""
    end = word_end(text, at, limit)
    # Only another pair after it tells that a blank is no part of the value.
    return end if "=" in text[end:limit] else limit


def _is_line(text: str, start: int) -> bool:
    """Tell whether a name stands at the beginning of its line."""
    return _BEFORE_LINE.search(text[max(start - 48, 0) : start]) is not None


def _spaced(text: str) -> str:
    """Mask `--password X`, `"--password", "X"`, SQL's `SECRET 'X'`."""
    pieces: list[str] = []
    done = 0
    at = 0
    while (found := _SPACED.search(text, at)) is not None:
        at = found.end()
        name = found["name"]
        kind = kind_of(name) or ("secret" if _is_sql_key(found, text) else None)
        if kind is None:
            continue
        in_quotes = quoted(text, at)
        if in_quotes is not None:
            start, end, after = in_quotes
            start = scheme_end(text, start)
            if found["close"] and text[after : after + 2].strip()[:1] == ":":
                continue  # {"name": "DB_PASSWORD", "value": ...}
        elif found["flag"] and found["gap"] and not text.startswith("--", at):
            start, end = at, word_end(text, at, len(text))
            after = end
        else:
            continue
        if not is_harmless(text[start:end], kind):
            pieces += [text[done:start], MASK]
            done = end
            at = after
    return "".join([*pieces, text[done:]])


def _is_sql_key(found: re.Match[str], text: str) -> bool:
    return found["name"].upper() == "KEY_ID" and text.startswith("'", found.end())


def _paired(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for found in _PAIRED.finditer(text):
        kind = kind_of(found["name"])
        if kind is None or found.start() < done:
            continue
        start, end = found.end(), 0
        in_quotes = quoted(text, start)
        if in_quotes is not None:
            start, end, _ = in_quotes
        else:
            end = line_end(text, start, len(text))
        if not is_harmless(text[start:end], kind):
            pieces += [text[done:start], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _element(match: re.Match[str]) -> str:
    kind = kind_of(match["name"])
    if kind is None or is_harmless(match["value"].strip(), kind):
        return match[0]
    return f"<{match['name']}>{MASK}"


def _identified(text: str) -> str:
    pieces: list[str] = []
    done = 0
    while (found := _IDENTIFIED.search(text, done)) is not None:
        in_quotes = quoted(text, found.end())
        start, end, _ = in_quotes or (found.end(), found.end(), 0)
        pieces += [text[done:start], MASK]
        done = end
        if end >= len(text):
            break
    return "".join([*pieces, text[done:]])
