"""Who the bot is, whom it knows, and where the gateway is."""

from .. import payloads
from ..call import Answer, Call, ok
from ..json_types import JsonObject
from ..state import World


def get_me(world: World, call: Call) -> Answer:
    return ok(payloads.user(world.bot) | {"mfa_enabled": True, "locale": "en-US"})


def get_user(world: World, call: Call) -> Answer:
    return ok(payloads.user(world.user(call.id("user_id"))))


def open_dm(world: World, call: Call) -> Answer:
    """Works with closed DMs too: only writing there is refused."""
    recipient = world.user(int(call.json["recipient_id"]))
    return ok(payloads.channel(world.dm_with(recipient)))


def get_application(world: World, call: Call) -> Answer:
    owner = next(iter(world.guilds.values())).owner_id
    application: JsonObject = {
        "id": str(world.bot.id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "",
        "flags": 0,
        "flags_new": "0",
        "type": None,
        "explicit_content_filter": 0,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "eligible_oauth2_scopes": [],
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "owner": payloads.user(world.users[owner]),
        "team": None,
        "bot": payloads.user(world.bot),
        "summary": "",
        "approximate_guild_count": len(world.guilds),
    }
    return ok(application)


def get_gateway(world: World, call: Call) -> Answer:
    return ok(
        {
            "url": world.origin.replace("http", "ws", 1) + "/",
            "shards": 1,
            "session_start_limit": {
                "total": 1000,
                "remaining": 1000,
                "reset_after": 0,
                "max_concurrency": 1,
            },
        }
    )


ROUTES = {
    ("GET", "/users/@me"): get_me,
    ("GET", "/users/{user_id}"): get_user,
    ("POST", "/users/@me/channels"): open_dm,
    ("GET", "/applications/@me"): get_application,
    ("GET", "/oauth2/applications/@me"): get_application,
    ("GET", "/gateway"): get_gateway,
    ("GET", "/gateway/bot"): get_gateway,
}
