"""What Discord's REST API does, an endpoint a function: check what the bot may, change the world,
say what became of it. Each module ends with its table of routes.
"""

from collections.abc import Callable, Mapping

from ..call import Answer, Call
from ..state import World
from . import account, channels, commands, guilds, interactions, messages, threads

Handler = Callable[[World, Call], Answer]

ROUTES: Mapping[tuple[str, str], Handler] = (
    account.ROUTES
    | channels.ROUTES
    | commands.ROUTES
    | guilds.ROUTES
    | interactions.ROUTES
    | messages.ROUTES
    | threads.ROUTES
)
