"""The whole process on the wire, as in tests/process."""

from tests.process.conftest import discord, environment, helpdesk

__all__ = ["discord", "environment", "helpdesk"]
