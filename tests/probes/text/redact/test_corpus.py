"""No secret of the corpus survives; ordinary command lines stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.redact.many_tools import BLANKS, COMMAND_LINES, KEY, WORD
from support.redact.ordinary import ordinary
from support.redact.secrets_corpus import corpus

from perftui.probes.recording.format.meta import target_dict, target_of
from perftui.probes.recording.shelf.shelf import new_directory
from perftui.probes.spine.reader import Target
from perftui.probes.text.redact import MASK, redact_argv, redact_text, redact_title, title_of

CASES = corpus()
LINES = 2_000
MOST_FALSE_OF_TEXTS = 0.005


def test_the_corpus_is_large() -> None:
    assert (
        len({secret + case.argv[0] + str(case.argv) for case in CASES for secret in case.secrets})
        >= 200
    )


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_no_secret_survives(case: object) -> None:
    argv, secrets, keeps = case  # type: ignore[misc]
    redacted = redact_argv(argv)
    assert MASK in " ".join(redacted)
    assert redact_argv(redacted) == redacted
    target = Target(title_of(argv), redacted, 1, None, launched=True, agent=False)
    old = Target(" ".join(argv), argv, 1, None, launched=True, agent=False)
    places = {
        "argv": " ".join(redacted),
        "title": target.title,
        "folder": new_directory(target.title, Path("/x")).name,
        "meta.json": json.dumps(target_dict(target), ensure_ascii=False),
        "meta.json of raw words": json.dumps(target_dict(old), ensure_ascii=False),
        "an old title": redact_title(old.title, argv),
        "an old meta.json": str(target_of({"target": {**old._asdict(), "argv": list(argv)}})),
    }
    for place, text in places.items():
        for secret in secrets:
            assert secret not in text, place
    for kept in keeps:
        assert kept in target.title


@pytest.mark.parametrize("argv", COMMAND_LINES, ids=range(len(COMMAND_LINES)))
def test_no_secret_survives_in_the_manners_of_many_tools(argv: tuple[str, ...]) -> None:
    redacted = redact_argv(argv)
    told = " ".join(redacted)
    assert redacted[0] == argv[0]
    assert not any(secret in told for secret in (WORD, BLANKS, BLANKS.split()[1], KEY))
    assert redact_argv(redacted) == redacted


def test_without_boundaries_nearly_all_are_found_too() -> None:
    joined = [(redact_text(" ".join(case.argv)), case.secrets) for case in CASES]
    left = [text for text, secrets in joined if any(secret in text for secret in secrets)]
    assert len(left) <= 0.05 * len(CASES), left
    assert all(redact_text(text) == text for text, _ in joined)


def test_ordinary_command_lines_stay() -> None:
    lines = ordinary(LINES)
    assert len(set(lines)) > LINES / 2
    masked = [(line, redact_argv(line)) for line in lines if redact_argv(line) != line]
    assert not masked, f"{len(masked)} of {LINES:,} were masked: {masked[:5]}"
    texts = [" ".join(line) for line in lines]
    joined = [text for text in texts if redact_text(text) != text]
    assert len(joined) / LINES <= MOST_FALSE_OF_TEXTS, joined[:5]
