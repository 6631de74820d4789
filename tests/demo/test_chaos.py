"""Whatever is done to the bot and its servers while a countdown runs, the ticket closes on time, or
soon after what it needs is back; and once."""

from __future__ import annotations

import logging

import pytest

from tests.demo.chaos import ORDERS, Close, close_amid
from tests.demo.visitor import Visitor

log = logging.getLogger(__name__)

SHORT, LONG = 6, 16
"""Seconds: the deadline passes amid the outages, or after them."""


def check(close: Close, patience: int = 1) -> None:
    assert close.is_punctual(patience), str(close)
    assert (close.log_posts, close.closings) == (1, 1), str(close)


@pytest.mark.timeout(180)
async def test_a_ticket_closes_though_all_is_struck(visitor: Visitor) -> None:
    check(await close_amid(visitor, ORDERS[0], SHORT), patience=4)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("delay_s", [SHORT, LONG])
async def test_in_every_order(visitor: Visitor, delay_s: int) -> None:
    closes: list[Close] = []
    for order in ORDERS:
        closes.append(await close_amid(visitor, order, delay_s))
        log.info(closes[-1])
    for close in closes:
        check(close)
