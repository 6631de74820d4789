"""The job types, one file each, found by looking into this folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Sequence

from domains.scheduled_task.job_type import JobServices, JobType


def discover(services: JobServices) -> Sequence[JobType]:
    """One instance of every concrete JobType defined in a module of this package."""
    found: list[JobType] = []
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            if (
                issubclass(member, JobType)
                and not inspect.isabstract(member)
                and member.__module__ == module.__name__
            ):
                found.append(member(services))
    return found
