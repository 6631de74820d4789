"""Interactions as a client that obeys nobody would send them: any custom_id from any channel, any
text in any field. Discord itself vouches only for who sends it and from where."""

from __future__ import annotations

from dataclasses import replace

from tests.wire import Channel, Discord, Interaction, InteractionType, Member, Message, User
from tests.wire.initiate import initiate
from tests.wire.json_types import JsonObject

STRING = 3
SUBCOMMAND = 1
BUTTON = 2
ROW = 1
TEXT_INPUT = 4


def press(
    discord: Discord, who: Member | User, where: Channel, custom_id: str, on: Message
) -> Interaction:
    """As if that message had such a button."""
    data: JsonObject = {"custom_id": custom_id, "component_type": BUTTON, "id": 2}
    button: JsonObject = {"type": BUTTON, "style": 1, "label": "x", "custom_id": custom_id, "id": 2}
    row: JsonObject = {"type": ROW, "id": 1, "components": [button]}
    return initiate(
        discord.world,
        InteractionType.COMPONENT,
        who,
        where,
        data,
        what=f"a forged press of {custom_id}",
        source=replace(on, components=[row]),
    )


def submit(discord: Discord, who: Member, opened_by: Interaction, subject: str) -> Interaction:
    """The form for a subject, with whatever text in it."""
    modal = opened_by.modal
    assert modal is not None
    field: JsonObject = {"type": TEXT_INPUT, "custom_id": "subject", "value": subject, "id": 2}
    data: JsonObject = {
        "custom_id": modal["custom_id"],
        "components": [{"type": ROW, "id": 1, "components": [field]}],
    }
    return initiate(
        discord.world,
        InteractionType.MODAL_SUBMIT,
        who,
        opened_by.channel,
        data,
        what="a forged form",
        source=opened_by.source,
        opened_by=opened_by,
    )


def command(
    discord: Discord, who: Member | User, where: Channel, name: str, **options: str
) -> Interaction:
    """`"autoclose exclude"` is a command and its subcommand. Who may see it does not matter."""
    root, *path = name.split()
    [registered] = [each for each in discord.world.global_commands if each["name"] == root]
    filled = [{"name": key, "type": STRING, "value": text} for key, text in options.items()]
    for subcommand in reversed(path):
        filled = [{"name": subcommand, "type": SUBCOMMAND, "options": filled}]
    data: JsonObject = {"id": registered["id"], "name": root, "type": 1, "options": filled}
    return initiate(
        discord.world, InteractionType.COMMAND, who, where, data, what=f"a forged /{name}"
    )


async def answer(interaction: Interaction) -> str:
    """What the bot says to it, privately."""
    await interaction.answered(within=4)
    await interaction.finished(within=10)
    message = interaction.message or await interaction.replied()
    assert message.ephemeral, message.text
    return message.text
