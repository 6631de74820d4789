"""`close_delay` as people write it, and as they should not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domains.formatting import duration
from domains.ticket_lifecycle.close_delay import (
    MAX_CLOSE_DELAY,
    delay_from_hours,
    parse_close_delay,
)
from domains.ticket_lifecycle.errors import InvalidDelayError

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("1", timedelta(hours=1)),
        ("24", timedelta(hours=24)),
        ("1.5", timedelta(minutes=90)),
        ("0.5", timedelta(minutes=30)),
        ("007", timedelta(hours=7)),
        ("720", timedelta(days=30)),
        ("60s", timedelta(minutes=1)),
        ("30m", timedelta(minutes=30)),
        ("30M", timedelta(minutes=30)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("1 hour, 30 minutes", timedelta(minutes=90)),
        ("90 min", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("3d", timedelta(days=3)),
        ("2 days", timedelta(days=2)),
        ("1.5 days", timedelta(hours=36)),
        ("1w", timedelta(days=7)),
        ("1:30:00", timedelta(minutes=90)),
        ("30 days", timedelta(days=30)),
        ("  2d  ", timedelta(days=2)),
        ("\t24\n", timedelta(hours=24)),
        ("2 Tage", timedelta(days=2)),
        ("1 Stunde und 30 Minuten", timedelta(minutes=90)),
        ("1 Tag 2 Std.", timedelta(hours=26)),
        ("90 Sekunden", timedelta(seconds=90)),
    ],
)
def test_a_delay_is_understood(text: str, delay: timedelta) -> None:
    assert parse_close_delay(text, MINUTE) == delay


@pytest.mark.parametrize("text", [None, "", "   ", "0", "0.0", "00", "0h", "0m", "0 days", " 0 "])
def test_nothing_or_zero_is_no_timer(text: str | None) -> None:
    assert parse_close_delay(text, MINUTE) is None


@pytest.mark.parametrize(
    "text",
    [
        "30s",
        "59s",
        "0.01",
        "0.0000001",
        "31 days",
        "30d1s",
        "721",
        "720.001",
        "999999999",
        "99999999999999999999",
        "99999999999999999999h",
        "5w",
        "-5",
        "-0.5",
        "-1h",
        "- 2 days",
        "+5",
        "1e9",
        "1e1",
        "1_0",
        "0x10",
        "inf",
        "-inf",
        "infinity",
        "nan",
        "１２",
        "٣",
        "²",
        "½",
        "1,5",
        "1.2.3",
        "1.2.3h",
        ".",
        ".h",
        "h",
        "one hour",
        "tomorrow",
        "2 Tagebücher",
        "und",
        "24 hours please",
        "24h\n30m?",
        "24h\0",
        "<@1>",
        "`24`",
        "1/0",
        "__import__('os')",
        "None",
        "1" * 10_000,
        "1h" * 5_000,
        "9" * 49 + "h",
        " " * 10_000 + "x",
        "\ud800",
    ],
)
def test_anything_else_is_answered_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidDelayError) as error:
        parse_close_delay(text, MINUTE)
    assert str(error.value) == (
        "The delay must be from 1 minute to 30 days, "
        "like `30m`, `1h30m`, `24` (hours) or `2 days`; `0` is no timer."
    )


def test_the_shortest_delay_is_the_operators_choice() -> None:
    assert parse_close_delay("1s", timedelta(seconds=1)) == timedelta(seconds=1)
    with pytest.raises(InvalidDelayError, match="from 1 hour 30 minutes to 30 days"):
        parse_close_delay("1h", timedelta(minutes=90))


ANYTHING = st.one_of(
    st.text(max_size=80),
    st.text("0123456789.:,/-+ wdhms\n١２", max_size=60),
    st.floats().map(str),
    st.integers().map(str),
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 99_999).map(str), st.floats(0, 9_999).map(str)),
            st.sampled_from(["", "s", "m", "h", "d", "w", " min", " hours", " days", ":", "x"]),
        ),
        max_size=5,
    ).map(lambda parts: " ".join(number + unit for number, unit in parts)),
)


@given(ANYTHING)
@example("1\n2")
@example("1h\n")
@example("9" * 400)
def test_nothing_but_its_own_error_leaves_the_parser_and_the_result_is_in_bounds(
    text: str,
) -> None:
    try:
        delay = parse_close_delay(text, MINUTE)
    except InvalidDelayError:
        return
    assert delay is None or MINUTE <= delay <= MAX_CLOSE_DELAY


@given(st.integers(60, 30 * 24 * 3600))
def test_a_delay_in_words_is_understood_again(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_close_delay(duration(span), MINUTE) == span


@given(st.one_of(st.none(), st.floats(), st.integers()))
def test_hours_become_a_delay_in_bounds_or_an_error(hours: float | None) -> None:
    try:
        delay = delay_from_hours(hours)
    except InvalidDelayError:
        return
    assert delay is None or timedelta() <= delay <= MAX_CLOSE_DELAY
