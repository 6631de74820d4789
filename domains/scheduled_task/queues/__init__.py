"""The queues: SAQ's, made exact and safe."""

from domains.scheduled_task.queues.queue import PunctualQueue

__all__ = ["PunctualQueue"]
