"""What a delay means is said before it is chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cogs.close_delay_choices import MAX_LENGTH, close_delay_choices
from domains.ticket_lifecycle.close_delay import MAX_CLOSE_DELAY
from locales import LOCALES

NOW = datetime(2026, 11, 25, 13, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def names(typed: str, locale: str = "en", shortest: timedelta = MINUTE) -> list[str]:
    return [choice.name for choice in close_delay_choices(typed, shortest, NOW, locale)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("30", "30 hours: Thu 26 Nov 19:03 UTC"),
        ("30h", "30 hours: Thu 26 Nov 19:03 UTC"),
        ("1", "1 hour: Wed 25 Nov 14:03 UTC"),
        ("1:30", "1 hour 30 minutes: Wed 25 Nov 14:33 UTC"),
        (" 2 days ", "2 days: Fri 27 Nov 13:03 UTC"),
        ("0", "No timer: it closes only when the member accepts"),
        ("soon", "Not possible: from 1 minute to 30 days, like 30m, 24 (hours) or 2 days"),
        ("5w", "Not possible: from 1 minute to 30 days, like 30m, 24 (hours) or 2 days"),
    ],
)
def test_what_is_typed_is_said_in_words_or_why_it_is_not_possible(typed: str, said: str) -> None:
    [choice] = close_delay_choices(typed, MINUTE, NOW, "en")
    assert (choice.name, choice.value) == (said, typed.strip())


def test_nothing_typed_offers_what_is_often_wanted_and_possible() -> None:
    offered = close_delay_choices("", MINUTE, NOW, "en")
    assert [choice.value for choice in offered] == ["0", "1h", "24h", "3d", "7d"]
    assert [name.partition(":")[0] for name in names("")] == [
        "No timer", "1 hour", "24 hours", "3 days", "7 days",
    ]  # fmt: skip
    assert len(names("", shortest=timedelta(days=2))) == 3


def test_it_is_said_in_the_readers_language() -> None:
    assert names("30", "de") == ["30 Stunden: Do. 26 Nov. 19:03 UTC"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("typed", ["9" * 500, "x" * 500, "29 days 23h 59m 59s"])
@pytest.mark.parametrize("shortest", [timedelta(hours=23, minutes=59, seconds=59), MAX_CLOSE_DELAY])
def test_every_choice_fits(locale: str, typed: str, shortest: timedelta) -> None:
    for choice in close_delay_choices(typed, shortest, NOW, locale):
        assert len(choice.name) <= MAX_LENGTH
        assert len(choice.value) <= MAX_LENGTH
