"""A Discord for one bot: simcord's state and permissions, spoken over HTTP and WebSocket.

simcord runs a bot in its own process. Here only its backend is used: the REST routes and gateway
payloads that it has are served to a bot that is a process of its own, as Discord would.
"""

from __future__ import annotations

from demo.virtual_discord.actor import Actor
from demo.virtual_discord.changes import ChangeSignal
from demo.virtual_discord.interactions import Failure, Interactions, Outcome
from demo.virtual_discord.server import VirtualDiscord

__all__ = ["Actor", "ChangeSignal", "Failure", "Interactions", "Outcome", "VirtualDiscord"]
