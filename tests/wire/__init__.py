"""A stand-in for Discord on the wire (HTTP v10 and gateway), for bot processes as they are.

    async with Discord() as discord:
        bot = await asyncio.create_subprocess_exec(
            *discord.command_line("bot.py"), env={**os.environ, **discord.environment}
        )
        await discord.wait_ready()
        reply = await discord.slash(discord.staff, discord.general, "closerequest", reason="done")
        assert reply.ephemeral and discord.unexpected == discord.violations == []

Discord (driver.py) is what tests hold: people act through it, and it tells what the bot did.
`discord.faults` and `discord.on_request` break things; launch.py, which points the unmodified bot
here, can also shorten discord.py's wait before on_ready. The world behind it is in state.py and the
modules it names, the REST endpoints in routes/, the gateway in gateway.py. `openapi.validate_body`
holds a request against Discord's own document, and needs no server.
"""

from .call import Call
from .driver import Discord
from .faults import LOST, Fault, Moment
from .interactions import Choice, Interaction, InteractionType, Response, ResponseType
from .models import (
    Attachment,
    Channel,
    ChannelType,
    File,
    Guild,
    Member,
    Message,
    Pings,
    Role,
    User,
)
from .openapi import validate_answer, validate_body
from .options import ClientRefusalError
from .permissions import Permission
from .server import LAUNCHER
from .state import TOKEN

__all__ = [
    "LAUNCHER",
    "LOST",
    "TOKEN",
    "Attachment",
    "Call",
    "Channel",
    "ChannelType",
    "Choice",
    "ClientRefusalError",
    "Discord",
    "Fault",
    "File",
    "Guild",
    "Interaction",
    "InteractionType",
    "Member",
    "Message",
    "Moment",
    "Permission",
    "Pings",
    "Response",
    "ResponseType",
    "Role",
    "User",
    "validate_answer",
    "validate_body",
]
