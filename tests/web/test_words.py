"""Every page has words for all that there is."""

from __future__ import annotations

from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.scheduled_task.timer_kind import TimerKind
from domains.ticket_lifecycle.effect_kinds import EffectKind
from locales import is_known

from .web_env import WebEnv


def test_each_kind_of_timer_and_of_effect_has_words(web_env: WebEnv) -> None:
    job_types = discover(JobServices(web_env.database, web_env.lifecycle))
    kinds = [kind for kind in job_types if isinstance(kind, TimerKind)]
    effects = {effect.kind for kind in kinds for effect in kind.effect_types()}
    wanted = {f"timer_kinds.{kind.name}" for kind in kinds}
    wanted |= {f"steps.{kind}" for kind in set(EffectKind) | effects}
    assert {key for key in wanted if not is_known(key)} == set()
