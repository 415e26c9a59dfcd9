"""Secrets of command lines, argument by argument: the boundaries tell where a value ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact import programs
from perftui.probes.text.redact.assignments import redact_assignments, redact_connection
from perftui.probes.text.redact.names import kind_of
from perftui.probes.text.redact.piped import mask_given, may_pipe, piped, redact_piped
from perftui.probes.text.redact.prose import redact_prose
from perftui.probes.text.redact.shapes import MASK, redact_shapes
from perftui.probes.text.redact.values import inside, is_harmless, quoted
from perftui.probes.text.redact.words import as_word, commands_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perftui.probes.text.redact.names import Kind

_DEPTH = 6
"""Command lines within command lines; what is nested deeper is redacted as mere text."""
_PASSES = 4
"""Until nothing changes any more; one does nearly always, and a second one shows it."""
_PAIR_HEAD = pattern(r"-{0,2}(?P<name>[^\W\d][\w.\-]*|//[\w./:\-]+:_\w+)\s?=")
_NEXT_PAIR = pattern(r"[&;,\s]\s{0,8}[^\W\d][\w.\-]{0,60}\s?=")
_NEXT_FIELD = pattern(r"[&;]\s{0,8}[^\W\d][\w.\- ]{0,60}=")
_ASSIGNED = pattern(r"[A-Za-z_]\w*=")
_HEADER_NAME = pattern(r"(?=[^:]*[A-Z-])-{0,2}([A-Za-z][\w-]*):")
_LOGIN_AT_HOST = pattern(
    r"(?P<user>[\w.+-]+):(?P<password>[^\s@/][^\s@]*)@(?=[A-Za-z][\w.-]*(?::\d+)?(?:/|$))"
)
_NO_USER = frozenset(
    [
        *("mailto", "to", "from", "cc", "bcc", "npm", "pkg", "git", "file", "email", "author"),
        *("user", "owner", "s3", "acct", "image", "docker", "git+ssh", "workspace"),
    ]
)
_CURL_CLUSTER = pattern(r"-[#a-zA-Z]{1,12}[uU]")
_CURL_ACCOUNT = pattern(r"(-[#0-9afgijklnpqsvGIJLNOSZ]{1,12}[uU])(.*)", re.DOTALL)
"""`-sSume:pw`: the flags before `-u` take nothing."""
_GLUED_ACCOUNT = pattern(r"(?<![\w-])-u(?P<account>[A-Za-z][\w.+-]{0,60}:[^\s\"'`]{4,128})")
_ORACLE = frozenset(["sqlplus", "sqlldr", "exp", "imp", "expdp", "impdp", "sqlcl", "rman"])
_USER_SLASH = pattern(r"([\w$#]+/)(?!\*\*\*)[^@\s/]+(?=@|$)")
_SETTERS = frozenset(["set", "config", "add", "put", "--add", "--global", "--local", "setenv"])
_HEADER_FLAGS = ("-H", "--header", "--proxy-header")
_ACCOUNT_FLAGS = (
    "-u",
    "--user",
    "--proxy-user",
    "--userpwd",
    "--basic-auth",
    "--http-user",
    "--login",
)
_SCHEMES = frozenset(["bearer", "basic", "token", "digest", "apikey", "negotiate", "="])


def redact_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """Take the secrets out of a command line; everything else stays as it is.

    Done again, it changes nothing.
    """
    found = tuple(argv)
    for _ in range(_PASSES):
        before, found = found, tuple(_redact_words(found, 0))
        if found == before:
            break
    return found


def redact_text(text: str) -> str:
    """Take secrets out of one free text: pairs, headers, URLs, known shapes, command lines.

    Done again, it changes nothing.
    """
    for _ in range(_PASSES):
        before, text = text, _redact_text(text, 0)
        if text == before:
            break
    return text


def title_of(words: Sequence[str]) -> str:
    """Return a command line as one text, without its secrets: redacted before it is joined."""
    return " ".join(redact_argv(words))


def redact_title(title: str, argv: Sequence[str] = ()) -> str:
    """Take secrets out of a title that was joined already.

    Args:
        title: What something is called.
        argv: The command line that the title was made of, as far as it is known: its words tell
            where secrets end.
    """
    pairs = zip(argv, redact_argv(argv))  # noqa: B905 - Python 3.9 reads this too, in `remote`
    for word, redacted in sorted(pairs, key=lambda pair: -len(pair[0])):
        # A short word would be found in the midst of others: those only as words.
        if word != redacted and len(word) >= 4:
            title = title.replace(word, redacted)
        elif word != redacted:
            title = " ".join(redacted if part == word else part for part in title.split(" "))
    return redact_text(title)


def _redact_text(text: str, depth: int) -> str:
    if depth < _DEPTH:
        text = redact_piped(_redact_named_programs(text, depth))
    if "-u" in text:
        text = _GLUED_ACCOUNT.sub(_glued_account, text)
    return redact_prose(redact_assignments(redact_shapes(text)))


def _redact_named_programs(text: str, depth: int) -> str:
    """Redact the command lines of programs like curl and mysql wherever a text tells one."""
    pieces: list[str] = []
    done = 0
    while (found := programs.NAMED.search(text, done)) is not None:
        start = found.start()
        end = len(text)
        newline = text.find("\n", start)
        end = end if newline == -1 else newline
        if start and text[start - 1] in "\"'":
            end = min(end, inside(text, start, text[start - 1]))
        pieces += [text[done:start], _redact_commands(text[start:end], depth + 1)]
        done = max(end, found.end())
    return "".join([*pieces, text[done:]])


def _glued_account(match: re.Match[str]) -> str:
    # In a text, where no program is known, one of small letters may be a group.
    password = match["account"].partition(":")[2]
    is_group = password.isalpha() and password.islower()
    is_secret = not is_group and programs.is_account(match["account"], "")
    return f"-u{MASK}" if is_secret else match[0]


def _redact_shell(text: str, depth: int) -> str:
    """Redact a command line that a shell will split."""
    if depth >= _DEPTH:
        return _redact_text(text, depth)
    return redact_prose(redact_assignments(redact_shapes(_redact_commands(text, depth + 1))))


def _redact_commands(text: str, depth: int) -> str:
    """Redact each command of a command line, and put the words back where they were."""
    commands = commands_of(text)
    pieces: list[str] = []
    done = 0
    given = set(piped(text, commands)) if may_pipe(text) else set()
    for number, command in enumerate(commands):
        redacted_words = _redact_words([word.text for word in command], depth)
        for at, word in enumerate(command):
            redacted = redacted_words[at]
            if (number, at) in given:
                redacted = mask_given(word.text)
            if redacted != word.text:
                pieces += [text[done : word.start], as_word(redacted, text[word.start : word.end])]
                done = word.end
    return "".join([*pieces, text[done:]])


class _Reading:
    """What is known of a command line as far as it was read."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.program = ""
        self.seen: list[str] = []
        """Since the program."""
        self.awaited: Kind | None = None
        """A flag was read whose value comes next."""
        self.role = ""
        """What else the next argument is: "account", "cookies", "header", "shell", "secret"."""

    def expect(self, role: str = "", kind: Kind | None = None) -> None:
        self.role, self.awaited = role, kind


def _redact_words(argv: Sequence[str], depth: int) -> list[str]:
    reading = _Reading(depth)
    redacted: list[str] = []
    for argument in argv:
        redacted.append(_next(reading, argument))
        reading.seen.append(argument)
    return redacted


def _next(reading: _Reading, argument: str) -> str:
    role, kind = reading.role, reading.awaited
    if (role or kind) and not argument.startswith("--"):
        if kind is not None and argument.lower() in _SCHEMES:
            return argument
        reading.expect()
        value = _awaited(reading, argument, role, kind)
        if value is not None:
            return value
    reading.expect()
    if argument.startswith("-") and len(argument) > 1:
        return _option(reading, argument)
    return _positional(reading, argument)


def _awaited(reading: _Reading, argument: str, role: str, kind: Kind | None) -> str | None:
    """Return an argument that the one before it announced; None if it is read like any other."""
    if role == "shell":
        return _redact_shell(argument, reading.depth)
    if role == "literal":
        key, sign, _ = argument.partition("=")
        return f"{key}={MASK}" if sign else None
    if role == "header":
        return _redact_text(argument, reading.depth)
    if role == "secret":
        is_value = not argument.startswith("-") and not is_harmless(argument, "password")
        return MASK if is_value else None
    if role == "account":
        return MASK if programs.is_account(argument, reading.program) else None
    if role == "cookies":
        return MASK if "=" in argument else None
    if kind is None or is_harmless(argument, kind):
        return None
    if kind == "weak" and argument.startswith("-"):
        return None
    return redact_connection(argument) if kind == "connection" else MASK


def _option(reading: _Reading, argument: str) -> str:
    program = reading.program
    flags = programs.flags_of(program, tuple(reading.seen))
    if programs.is_shell_text(program, argument):
        reading.expect("shell")
        return argument
    if argument in flags.separate:
        reading.expect("secret")
        return argument
    if argument in flags.cookies:
        reading.expect("cookies")
        return argument
    if argument in flags.account or (argument in _ACCOUNT_FLAGS and _takes_account(reading)):
        reading.expect("account")
        return argument
    if program == "curl" and _CURL_CLUSTER.fullmatch(argument):
        reading.expect("account")  # -sSu me:pw
        return argument
    if argument in _HEADER_FLAGS:
        reading.expect("header")
        return argument
    glued = _glued(reading, argument, flags)
    if glued is not None:
        return glued
    name, sign, value = argument.partition("=")
    if sign and (name in flags.separate or (name in flags.cookies and "=" in value)):
        return f"{name}={MASK}" if value else argument
    if sign and name in (*flags.account, *_ACCOUNT_FLAGS) and programs.is_account(value, program):
        return f"{name}={MASK}"
    if argument == "--from-literal" and "secret" in reading.seen:
        reading.expect("literal")
        return argument
    if sign and name == "--from-literal" and "secret" in reading.seen:
        key, sign, _ = value.partition("=")
        return f"{name}={key}{sign}{MASK}" if sign else argument
    if not sign and ":" not in argument:
        reading.expect(kind=kind_of(argument))
    elif not sign and (header := _HEADER_NAME.fullmatch(argument)) is not None:
        reading.expect(kind=kind_of(header[1]))
    return _redact_argument(argument, reading.depth)


def _takes_account(reading: _Reading) -> bool:
    # `python -u script.py`: unbuffered.
    return not programs.is_python(reading.program) or any(
        word.endswith(".py") or word in ("-m", "-c") for word in reading.seen
    )


def _glued(reading: _Reading, argument: str, flags: programs.Flags) -> str | None:
    """Return a short flag with its secret in one argument (`-ppw`); None if it is none."""
    if argument.startswith("--"):
        return None
    for flag in flags.glued:
        if argument.startswith(flag) and len(argument) > len(flag):
            return flag + MASK
    for flag in flags.account:
        rest = argument[len(flag) :]
        if len(flag) == 2 and argument.startswith(flag):
            return flag + MASK if programs.is_account(rest, reading.program) else None
    if argument.startswith("-u") and _takes_account(reading):
        return f"-u{MASK}" if programs.is_account(argument[2:], reading.program) else None
    if reading.program == "curl" and (cluster := _CURL_ACCOUNT.fullmatch(argument)) is not None:
        return cluster[1] + MASK if programs.is_account(cluster[2], "curl") else None
    for flag in (*flags.cookies, "-H"):
        rest = argument[len(flag) :]
        if len(flag) == 2 and rest and argument.startswith(flag):
            if flag == "-H":
                return flag + _redact_text(rest, reading.depth)
            return flag + MASK if "=" in rest else None
    return None


def _positional(reading: _Reading, argument: str) -> str:
    seen = reading.seen
    name = argument.rpartition("/")[2]
    before = seen[-1] if seen else ""
    if not reading.program or _may_start(reading, name):
        if not _ASSIGNED.match(argument):
            reading.program = name
            reading.seen = []
        return _redact_argument(argument, reading.depth)
    if reading.program in programs.REMOTE and any(sign in argument for sign in " \t"):
        return _redact_shell(argument, reading.depth)
    if _is_set(reading, before) and not is_harmless(argument, "password"):
        return MASK
    if before == "login" and reading.program in ("vault", "wandb"):
        return MASK
    if reading.program == "htpasswd" and _is_htpasswd_secret(seen):
        return MASK
    if reading.program in _ORACLE and (login := _USER_SLASH.match(argument)) is not None:
        return f"{login[1]}{MASK}{argument[login.end() :]}"
    if argument in ("Bearer", "bearer") and not before.startswith("-"):
        reading.expect(kind="secret")
    elif argument == "=" and kind_of(before) is not None:
        reading.expect(kind=kind_of(before))
    elif (header := _HEADER_NAME.fullmatch(argument)) is not None:
        reading.expect(kind=kind_of(header[1]))
    return _redact_argument(argument, reading.depth)


def _is_htpasswd_secret(seen: Sequence[str]) -> bool:
    """Tell whether the next word is the password of `htpasswd -b [FILE] USER PASSWORD`."""
    flags = "".join(word[1:] for word in seen if word.startswith("-") and word[1:].isalnum())
    words = [word for word in seen if not word.startswith("-")]
    return "b" in flags and len(words) > (1 if "n" in flags else 2)


def _is_set(reading: _Reading, before: str) -> bool:
    """Tell whether an argument is the value in `config set NAME VALUE`."""
    if before.startswith("-") or kind_of(before) not in ("password", "secret"):
        return False
    near = len(reading.seen) > 1 and reading.seen[-2] in _SETTERS
    return near or ("_" in before and not _SETTERS.isdisjoint(reading.seen))


def _may_start(reading: _Reading, name: str) -> bool:
    """Tell whether a word starts another program: `sudo curl`, `docker exec db mysql`."""
    if programs.is_python(reading.program) or (
        reading.program in programs.PROGRAMS and reading.program != "sshpass"
    ):
        return False
    return (
        name in programs.PROGRAMS
        or name in programs.SHELLS
        or (name in programs.REMOTE and not reading.seen)
        or programs.is_python(name)
        or name in programs.LOGINS
        or (reading.program == "env" and not any("=" not in word for word in reading.seen))
    )


def _redact_argument(argument: str, depth: int) -> str:
    """Redact one argument: what begins like a pair is its value to the end."""
    at = 0
    while (head := _PAIR_HEAD.match(argument, at)) is not None:
        kind = kind_of(head["name"])
        at = head.end()
        if kind is None:
            continue
        value = argument[at:]
        if is_harmless(value, kind):
            break
        if kind == "connection":
            return argument[:at] + redact_connection(value)
        end = _value_end(argument, head, at)
        if argument[at:end] == MASK and end < len(argument):
            break
        rest = argument[end:]
        return argument[:at] + MASK + (_redact_text(rest, depth) if rest else "")
    if at and argument.startswith("-"):
        return argument[:at] + _redact_text(argument[at:], depth)
    login = _LOGIN_AT_HOST.match(argument)
    if login is not None and login["user"].lower() not in _NO_USER:
        argument = f"{login['user']}:{MASK}@{argument[login.end() :]}"
    return _redact_text(argument, depth)


def _value_end(argument: str, head: re.Match[str], at: int) -> int:
    """Return where the value of a pair that begins an argument ends.

    That of `--flag=` is all the rest. A connection string or a query has more pairs behind it.
    """
    if head[0].startswith("-"):
        return len(argument)
    in_quotes = quoted(argument, at)
    if in_quotes is not None and in_quotes[2] < len(argument):
        at = in_quotes[2]
    pattern = _NEXT_FIELD if head["name"].isupper() else _NEXT_PAIR
    found = pattern.search(argument, at)
    return len(argument) if found is None else found.start()
