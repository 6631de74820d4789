"""Durations, events, causes and reasons in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domains.formatting import (
    PlainStyle,
    duration,
    event_details,
    event_words,
    milliseconds,
    reason_words,
    short_duration,
)
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError

PLAIN = PlainStyle()
FORBIDDEN = {"code": "permission_missing", "permissions": ["A", "B"], "place": "#c"}


@pytest.mark.parametrize(
    ("seconds", "words", "short"),
    [
        (0, "0 seconds", "0 s"),
        (0.4, "0 seconds", "0 s"),
        (1, "1 second", "1 s"),
        (60, "1 minute", "1 min"),
        (61, "1 minute 1 second", "1 min 1 s"),
        (5_400, "1 hour 30 minutes", "1 h 30 min"),
        (3_605, "1 hour 5 seconds", "1 h"),
        (86_400 * 30, "30 days", "30 d"),
        (90_061, "1 day 1 hour 1 minute 1 second", "1 d 1 h"),
    ],
)
def test_a_span_reads_well(seconds: float, words: str, short: str) -> None:
    span = timedelta(seconds=seconds)
    assert duration(span) == words
    assert short_duration(span) == short
    assert short_duration(-span) == short


@pytest.mark.parametrize(
    ("number", "words"),
    [(4, "4 ms"), (999.4, "999 ms"), (1_234, "1.23 s"), (1_200, "1.2 s"), (200_000, "3 min 20 s")],
)
def test_a_lateness_reads_well(number: float, words: str) -> None:
    assert milliseconds(number) == words


def test_people_and_moments_on_a_page() -> None:
    assert [PLAIN.user(id_) for id_ in (None, 0, 7)] == ["the bot", "an operator", "user 7"]
    assert PLAIN.moment(datetime(2026, 7, 1, 9, 30, 5, tzinfo=UTC)) == "2026-07-01 09:30:05 UTC"


def test_an_event_of_a_newer_version_is_called_by_its_name() -> None:
    assert event_words("closing", "user 7", PLAIN) == "user 7 closes it"
    assert event_words("held", "user 7", PLAIN) == "held"


@pytest.mark.parametrize(
    ("params", "detail", "words"),
    [
        ({}, None, ""),
        ({}, "as typed long ago", "as typed long ago"),
        ({"reason": "Solved?"}, None, "Solved?"),
        ({"seconds": 86_400}, None, "1 day"),
        ({"outage_seconds": 3_600}, None, "after an outage of 1 hour"),
        ({"cause": "command"}, None, ""),
        ({"cause": "channel_deleted"}, None, "its channel was deleted by hand"),
        ({"cause": "of a newer version"}, None, "of a newer version"),
        (FORBIDDEN, None, "the bot lacks the permissions A and B in #c"),
        (
            FORBIDDEN | {"step": "log-close"},
            None,
            "the log message: the bot lacks the permissions A and B in #c",
        ),
    ],
)
def test_what_there_is_to_add_to_an_event(
    params: dict[str, object], detail: str | None, words: str
) -> None:
    assert event_details(params, detail, PLAIN) == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (FORBIDDEN, "the bot lacks the permissions A and B in #c"),
        ({**FORBIDDEN, "place": None}, "the bot lacks the permissions A and B"),
        (
            {"code": "close_keeps_failing", "error": {"code": "discord_failed", "text": "503"}},
            "the close keeps failing: 503",
        ),
        (
            {
                "code": "keeps_failing",
                "step": "ask",
                "error": {"code": "discord_failed", "text": "503"},
            },
            "the question to the member keeps failing: 503",
        ),
        ({"code": "unexpected", "type": "KeyError", "text": "'x'"}, "KeyError: 'x'"),
        ({"code": "other", "text": "as it was said before"}, "as it was said before"),
        ({"code": "of_a_newer_version"}, "of_a_newer_version"),
    ],
)
def test_a_reason_in_words(reason: dict[str, object], words: str) -> None:
    assert reason_words(reason, PLAIN) == words


class Shouting(PlainStyle):
    def text(self, text: str) -> str:
        return text.upper()


def test_what_somebody_typed_is_made_safe_where_it_is_shown() -> None:
    style = Shouting()
    assert event_details({"reason": "typed"}, None, style) == "TYPED"
    assert event_details({}, "typed", style) == "TYPED"
    assert reason_words({"code": "x", "text": "typed"}, style) == "TYPED"
    assert reason_words(FORBIDDEN, style).endswith("in #C")


def test_errors_tell_their_code_and_parameters() -> None:
    error = PermissionMissingError(("A", "B"), "#c")
    assert {"code": error.code, **error.params} == FORBIDDEN
    assert str(error) == reason_words(FORBIDDEN, PLAIN)
    failed = DiscordFailedError("503")
    assert reason_words({"code": failed.code, **failed.params}, PLAIN) == "503"
