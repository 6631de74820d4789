"""Whatever people, time and faults do in whatever order, tickets are what a simple model says.

In the long form Hypothesis shortens the runs in which something goes wrong.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.kills import SEED
from tests.faults.own_servers import OwnValkey
from tests.faults.state_machine import TicketStateMachine

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
"""Who is killed closes nothing."""


def run_state_machine(
    database_url: str,
    valkey: OwnValkey,
    folder: Path,
    *,
    examples: int,
    steps: int,
    phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink),
) -> None:
    class Here(TicketStateMachine):
        pass

    Here.database_url, Here.valkey, Here.folder = database_url, valkey, folder
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    seed(SEED)(Here)
    try:
        run_state_machine_as_test(Here, settings=limits)
    except FlakyStrategyDefinition:
        # Who wins a race is not foretold, so that the same choices may end differently. All that
        # happened until Hypothesis noticed has been checked.
        if Here.broken is not None:
            raise Here.broken from None
    except Exception as error:
        error.add_note(f"FAULT_SEED={SEED} repeats the same runs")
        raise


@pytest.fixture
def short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks more often, so that more runs fit in the time there is."""
    watch = "domains.scheduled_task.scheduled_task.WATCH"
    monkeypatch.setattr(f"{watch}_INTERVAL_S", 0.05)
    monkeypatch.setattr(f"{watch}_WITHOUT_REDIS_INTERVAL_S", 0.05)
    monkeypatch.setattr("domains.scheduled_task.workers.worker.DEQUEUE_TIMEOUT_S", 0.1)


def test_every_run_ends_as_the_model_says(
    short_intervals: None, database_url: str, valkey: OwnValkey, tmp_path: Path
) -> None:
    run_state_machine(
        database_url, valkey, tmp_path, examples=6, steps=120, phases=(Phase.generate,)
    )


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_one_of_very_many_runs_ends_as_the_model_says(
    short_intervals: None, database_url: str, valkey: OwnValkey, tmp_path: Path
) -> None:
    run_state_machine(database_url, valkey, tmp_path, examples=100, steps=150)
