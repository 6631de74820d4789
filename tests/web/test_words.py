"""Every page has words for all that there is."""

from __future__ import annotations

from domains.formatting import STEPS, TIMERS
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.scheduled_task.timer_kind import TimerKind
from domains.ticket_lifecycle.effect_kinds import EffectKind

from .web_env import WebEnv


def test_each_kind_of_timer_and_of_effect_has_words(web_env: WebEnv) -> None:
    job_types = discover(JobServices(web_env.database, web_env.lifecycle))
    kinds = [kind for kind in job_types if isinstance(kind, TimerKind)]
    effects = {effect.kind for kind in kinds for effect in kind.effect_types()}
    assert {kind.name for kind in kinds} == TIMERS.keys()
    assert set(EffectKind) | effects == STEPS.keys()
