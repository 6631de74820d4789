"""Who a text pings: what it mentions, less what `allowed_mentions` forbids."""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from .json_types import JsonObject, children
from .models import TEXT_DISPLAY, Guild, Pings, Role, User, walk

T = TypeVar("T")

USER_MENTION = re.compile(r"<@!?(\d+)>")
ROLE_MENTION = re.compile(r"<@&(\d+)>")
EVERYONE_MENTION = re.compile(r"@(everyone|here)\b")


def pings_of(
    body: JsonObject,
    *,
    guild: Guild | None,
    users: dict[int, User],
    may_ping_everyone: bool,
    reply_to: User | None = None,
) -> Pings:
    text = "\n".join(_texts(body))
    allowed: JsonObject | None = body.get("allowed_mentions")
    mentioned = _known(USER_MENTION.findall(text), users, _permits(allowed, "users"))
    if reply_to is not None and reply_to not in mentioned and _pings_replied_user(allowed):
        mentioned = (*mentioned, reply_to)
    roles: tuple[Role, ...] = ()
    if guild is not None and may_ping_everyone:
        roles = _known(ROLE_MENTION.findall(text), guild.roles, _permits(allowed, "roles"))
    everyone = may_ping_everyone and (allowed is None or "everyone" in (allowed.get("parse") or ()))
    return Pings(mentioned, roles, everyone and EVERYONE_MENTION.search(text) is not None)


def _texts(body: JsonObject) -> Iterable[str]:
    """Embeds never ping."""
    yield body.get("content") or ""
    for component in walk(children(body, "components")):
        if component["type"] == TEXT_DISPLAY:
            yield component["content"]


def _permits(allowed: JsonObject | None, kind: str) -> Callable[[int], bool]:
    if allowed is None or kind in (allowed.get("parse") or ()):
        return lambda _: True
    named = {int(each) for each in allowed.get(kind) or ()}
    return lambda mentioned_id: mentioned_id in named


def _pings_replied_user(allowed: JsonObject | None) -> bool:
    return allowed is None or bool(allowed.get("replied_user"))


def _known(
    ids: Iterable[str], known: dict[int, T], permits: Callable[[int], bool]
) -> tuple[T, ...]:
    unique = dict.fromkeys(int(each) for each in ids)
    return tuple(known[each] for each in unique if each in known and permits(each))
