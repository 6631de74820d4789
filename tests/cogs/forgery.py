"""What people can't do with their hands: press buttons that are not there any more or never were,
press one twice in the same instant, and submit two modals so."""

from __future__ import annotations

from typing import Any

import discord
import simcord
from simcord import interactions
from simcord.backend import serializers
from simcord.enums import ComponentType, InteractionType

from tests.cogs.shown import custom_ids
from tests.cogs.world import World


async def press(
    world: World, member: simcord.MemberActor, message: discord.Message, custom_id: str
) -> simcord.InteractionResult:
    """Press a button of this custom_id on a message as if it had one, which it may have had a
    moment ago."""
    button = {"type": ComponentType.BUTTON, "style": 1, "label": "Forged", "custom_id": custom_id}
    row = {"type": ComponentType.ACTION_ROW, "id": 99, "components": [button]}
    stored = world.env.backend.get_message(message.channel.id, message.id)
    payload = dict(serializers.message_payload(world.env.backend, stored)) | {"components": [row]}
    channel = next(c for c in world.guild.channels.values() if c.id == message.channel.id)
    return await member._dispatch_interaction(  # pyright: ignore[reportPrivateUsage]
        InteractionType.MESSAGE_COMPONENT,
        channel,
        {"custom_id": custom_id, "component_type": ComponentType.BUTTON},
        extra={"message": payload},
        source_message_id=stored.id,
    )


async def press_twice_at_once(
    world: World, member: simcord.MemberActor, message: discord.Message, label: str
) -> list[simcord.InteractionResult]:
    """The second before the bot has dealt with the first."""
    stored = world.env.backend.get_message(message.channel.id, message.id)
    shown = serializers.message_payload(world.env.backend, stored)
    data = {"custom_id": custom_ids(message)[label], "component_type": ComponentType.BUTTON}
    pressed = InteractionType.MESSAGE_COMPONENT
    records = [
        _begin(world, member, message.channel.id, pressed, data, message=shown) for _ in range(2)
    ]
    await world.env.settle()
    return records


async def submit_at_once(
    world: World, member: simcord.MemberActor, shown: list[simcord.InteractionResult], subject: str
) -> list[simcord.InteractionResult]:
    """Submit several subject modals before the bot has dealt with the first."""
    records: list[simcord.InteractionResult] = []
    for result in shown:
        modal = result.modal
        assert modal is not None
        label = modal["components"][0]
        control = {"type": ComponentType.TEXT_INPUT, "custom_id": "subject", "value": subject}
        nested = {"type": label["type"], "id": label["id"]}
        nested |= {"components": [control]} if "components" in label else {"component": control}
        data = {"custom_id": modal["custom_id"], "components": [nested]}
        submitted = InteractionType.MODAL_SUBMIT
        records.append(_begin(world, member, world.lobby.id, submitted, data))
    await world.env.settle()
    return records


def _begin(
    world: World,
    member: simcord.MemberActor,
    channel_id: int,
    kind: InteractionType,
    data: dict[str, Any],
    **more: object,
) -> simcord.InteractionResult:
    """Without waiting for the bot."""
    record, payload = interactions.base_payload(
        world.env.backend,
        type=kind,
        channel_id=channel_id,
        guild_id=world.guild.id,
        user_id=member.id,
        data=data,
    )
    world.env.backend.emit("INTERACTION_CREATE", dict(payload) | more)
    return simcord.InteractionResult(world.env, record)
