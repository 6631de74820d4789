"""Accept, deny, withdraw, expiry, /close, a reply and an exclusion at the same instant: exactly
one of them ends the request, and everybody else is told what happened."""

from __future__ import annotations

import pytest

from domains.database import Database
from domains.ticket_lifecycle.models import RequestStatus
from tests.ticket_lifecycle.helpdesk import HelpDesk
from tests.ticket_lifecycle.race import ONE_PROCESS, Contender, Race

EVERY_WAY_TO_END = {
    RequestStatus.ACCEPTED,
    RequestStatus.DENIED,
    RequestStatus.WITHDRAWN,
    RequestStatus.EXPIRED,
    RequestStatus.ANSWERED,
    RequestStatus.CLOSED,
}


async def test_exactly_one_wins_the_race(desk: HelpDesk) -> None:
    race = Race([desk], ONE_PROCESS, seed=1)
    await race.run(rounds=112)
    assert race.wins >= EVERY_WAY_TO_END


async def test_exactly_one_wins_the_race_between_two_processes(
    desk: HelpDesk, second_database: Database
) -> None:
    """By mistake: somebody started the bot twice."""
    race = Race([desk, desk.elsewhere(second_database)], tuple(Contender), seed=2)
    await race.run(rounds=96)
    assert race.wins >= EVERY_WAY_TO_END


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(4))
async def test_exactly_one_wins_thousands_of_races(
    desk: HelpDesk, second_database: Database, seed: int
) -> None:
    other = desk.elsewhere(second_database)
    await Race([desk], ONE_PROCESS, seed=100 + seed).run(rounds=1_000)
    race = Race([desk, other], (*Contender, Contender.EXPIRE), seed=200 + seed)
    await race.run(rounds=1_000)
    assert race.wins >= EVERY_WAY_TO_END
