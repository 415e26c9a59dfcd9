"""Secrets that a command line hands to a program's standard input: `echo X | sudo -S ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perftui.probes.own.pattern import pattern
from perftui.probes.text.redact.shapes import MASK
from perftui.probes.text.redact.values import inside
from perftui.probes.text.redact.words import as_word, commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perftui.probes.text.redact.words import Word

_SAYS = frozenset(["echo", "printf", "yes"])
_ASKS = frozenset(
    [
        *("chpasswd", "passwd", "smbpasswd", "su", "kinit", "sshpass", "cryptsetup", "mkpasswd"),
        *("argon2", "gocryptfs", "encfs", "ecryptfs-mount-private", "secret-tool", "vncpasswd"),
    ]
)
"""They read a password first of all."""
_STDIN = pattern(
    r"(?:^|\s|/)(?:"
    r"--[\w-]{0,40}(?:password|passphrase|passwd|token|secret|key|pass)-?(?:from-)?stdin"
    r"|--passphrase-fd[ =]0|--with-token|-pass(?:in|out)?[ ]stdin|-d0"
    r"|sudo(?:[ ]-\S{1,40}(?:[ ][^-\s]\S{0,60})?){0,6}?"
    r"[ ](?:-[A-Za-z]{0,8}S[A-Za-z]{0,8}|--stdin)"
    r"|htpasswd[ ](?:-\w{1,8}[ ])?-\w{0,8}i\w{0,8}|openssl[ ]passwd(?:[ ]-\S{1,40}){0,4}[ ]-stdin"
    r")(?=\s|$)"
)
_STORES = pattern(
    r"(?:^|\s)(?:secrets?|vault)[ ](?:\S{1,200}[ ]){0,8}?"
    r"(?:create|set|put|add|login|write|versions|insert|-|\S{0,80}(?:=-|/dev/stdin))(?=\s|$)"
)
_ASSIGNED = pattern(r"[A-Za-z_]\w*=.*")
_BEFORE = frozenset(["sudo", "env", "exec", "command", "{", "time", "nohup", "do", "then"])
_SAID = pattern(rf"(?<![\w.-])(?:{'|'.join(sorted(_SAYS))})(?=[ \t])")
"""Where in a text one of those may begin."""
_HERE = pattern(r"<<-?(?P<end>[A-Za-z_]\w*)?")
_CHECKED_CHARS = 2000


def may_pipe(text: str) -> bool:
    """Tell whether it is worth looking at a text: most have nothing of the kind."""
    return ("|" in text and any(word in text for word in _SAYS)) or "<<" in text


def piped(text: str, commands: Sequence[Sequence[Word]]) -> Iterator[tuple[int, int]]:
    """Yield (command, word) of what goes into the standard input of a program that asks.

    Args:
        text: A command line.
        commands: Its words, by command.
    """
    said = [[word.text for word in command] for command in commands]
    first = 0  # of the pipeline
    done = told_to = 0
    for number, words in enumerate(said):
        gap = text[commands[number - 1][-1].end : commands[number][0].start] if number else ""
        grouped = ")" in gap or (number > 0 and said[number - 1] == ["}"])
        if grouped and "|" in gap:
            first = 0
        elif "|" not in gap or "||" in gap:
            first = number
        if not _asks(words):
            continue
        for earlier in range(max(first, done), number):
            yield from ((earlier, at) for at in _told(said[earlier]))
        done = number
        if number >= told_to:
            for told_to, at in _here(said, number):
                yield told_to, at


def redact_piped(text: str) -> str:
    """Redact what `echo` and the like hand on, wherever a text tells such a command line."""
    if not may_pipe(text):
        return text
    if "<<" in text:
        text = _without_given(text)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        found = _SAID.search(line)
        if found is None or "|" not in line:
            continue
        start, end = found.start(), len(line)
        if start and line[start - 1] in "\"'":
            end = inside(line, start, line[start - 1])
        lines[number] = line[:start] + _without_given(line[start:end]) + line[end:]
    return "\n".join(lines)


def _without_given(text: str) -> str:
    commands = commands_of(text)
    given = {commands[at][word] for at, word in piped(text, commands)}
    pieces: list[str] = []
    done = 0
    for word in sorted(given):
        masked = as_word(mask_given(word.text), text[word.start : word.end])
        pieces += [text[done : word.start], masked]
        done = word.end
    return "".join([*pieces, text[done:]])


def mask_given(word: str) -> str:
    """Return what stands in the place of such a word."""
    return f"<<<{MASK}" if word.startswith("<<<") else MASK


def _asks(words: list[str]) -> bool:
    line = " ".join(words)[:_CHECKED_CHARS]
    return _program(words) in _ASKS or bool(_STDIN.search(line) or _STORES.search(line))


def _program(words: list[str]) -> str:
    """Return the program of a command, without what runs it."""
    is_first = True
    for word in words:
        name = word.rpartition("/")[2]
        if name in _BEFORE or _ASSIGNED.fullmatch(word) or (not is_first and word[:1] == "-"):
            is_first = False
            continue
        return name
    return ""


def _told(words: list[str]) -> Iterator[int]:
    """Yield the words that `echo` says: not its options, nor variables or a format."""
    at = next((i for i, word in enumerate(words) if word.rpartition("/")[2] in _SAYS), None)
    if at is None or _program(words) not in _SAYS:
        return
    texts = [i for i in range(at + 1, len(words)) if not words[i].startswith(("-", "$"))]
    if words[at].endswith("printf") and len(texts) > 1 and "%" in words[texts[0]]:
        del texts[0]
    yield from texts


def _here(said: list[list[str]], number: int) -> Iterator[tuple[int, int]]:
    """Yield the words of a here-string (`<<< X`), of a here-document (`<<END`)."""
    words = said[number]
    for at, word in enumerate(words):
        if word.startswith("<<<"):
            at += word == "<<<"
            if at < len(words) and not words[at].removeprefix("<<<").startswith("$"):
                yield number, at
        elif (found := _HERE.fullmatch(word)) is not None:
            end = found["end"] or (words[at + 1] if at + 1 < len(words) else "")
            for later in range(number + 1, len(said)):
                if said[later] == [end]:
                    return
                yield from ((later, i) for i, text in enumerate(said[later]) if text[:1] != "$")
