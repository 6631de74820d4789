"""Discord's limits on channels, which simcord leaves out."""

from __future__ import annotations

from typing import Any

import simcord
from simcord import BackendError
from simcord.backend.models import Channel

MAX_IN_CATEGORY = 50
FULL_CATEGORY = {
    "parent_id": {
        "_errors": [
            {
                "code": "CHANNEL_PARENT_MAX_CHANNELS",
                "message": "Maximum number of channels in category reached (50)",
            }
        ]
    }
}


def enforce_channel_limits(env: simcord.Env, *, most_in_guild: int = 500) -> None:
    """From now on a full category and a full guild are refused, as Discord refuses them."""
    create = env.backend.create_channel

    def create_if_there_is_room(guild_id: int | None, name: str | None, **fields: Any) -> Channel:
        channels = [c for c in env.backend.channels.values() if c.guild_id == guild_id]
        if len(channels) >= most_in_guild:
            raise BackendError(400, 30013, "Maximum number of server channels reached (500)")
        parent_id = fields.get("parent_id")
        inside = [c for c in channels if parent_id is not None and c.parent_id == parent_id]
        if len(inside) >= MAX_IN_CATEGORY:
            raise BackendError(400, 50035, "Invalid Form Body", errors=FULL_CATEGORY)
        return create(guild_id, name, **fields)

    env.backend.create_channel = create_if_there_is_room  # type: ignore[method-assign]


def fill(guild: simcord.GuildHandle, category: simcord.ChannelHandle) -> None:
    for n in range(MAX_IN_CATEGORY):
        guild.create_text_channel(f"filler-{n}", category=category)
