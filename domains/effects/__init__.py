"""What Discord is to be told: an outbox in PostgreSQL, and the runner that delivers it.

A transaction that decides something writes effects; the runner does them afterwards, in order for
each ticket. Whatever happens in between, each is done, or a person is asked.
"""

from domains.effects.effect import Effect, EffectType
from domains.effects.runner import EffectRunner

__all__ = ["Effect", "EffectRunner", "EffectType"]
