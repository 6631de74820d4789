"""All that runs in the demo, as its page uses it."""

from __future__ import annotations

from dataclasses import dataclass

from demo.bot_process import BotProcess
from demo.chaos import Chaos
from demo.guided_steps import GuidedSteps
from demo.guild import DemoGuild
from demo.observer import Observer
from demo.virtual_discord import Interactions, VirtualDiscord
from domains.transcripts import TranscriptStore


@dataclass(frozen=True, slots=True)
class Dashboard:
    host: str
    port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        """With the login in it, which browsers take from a link."""
        return f"http://{self.user}:{self.password}@{self.host}:{self.port}/"


@dataclass(frozen=True, slots=True)
class DemoServices:
    guild: DemoGuild
    discord: VirtualDiscord
    interactions: Interactions
    steps: GuidedSteps
    observer: Observer
    chaos: Chaos
    bot: BotProcess
    transcripts: TranscriptStore
    dashboard: Dashboard
