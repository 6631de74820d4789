"""What has happened when the visitor arrives: little, and all of it through the bot itself."""

from __future__ import annotations

from demo.guided_steps import (
    CUSTOMER,
    FINISH_TIMEOUT_S,
    OTHER_CUSTOMER,
    SUPPORT,
    GuidedSteps,
)
from demo.guild import DemoGuild
from demo.virtual_discord import Interactions
from demo.words import Words

LONG_DELAY = "3d"


async def play(
    guild: DemoGuild, steps: GuidedSteps, interactions: Interactions, words: Words
) -> None:
    await steps.set_up(words.locale)
    asked = await steps.open_ticket(OTHER_CUSTOMER, words("scene.subject.asked"), words.locale)
    if asked is not None:
        robin, sam = guild.person(OTHER_CUSTOMER).id, guild.person(SUPPORT).id
        interactions.write(robin, asked, words("scene.robin"))
        interactions.write(sam, asked, words("scene.sam"))
        reason = words("scene.reason")
        outcome = await steps.ask_to_close(asked, reason, LONG_DELAY, words.locale)
        await interactions.finished(outcome, FINISH_TIMEOUT_S)
    quiet = await steps.open_ticket(CUSTOMER, words("scene.subject.quiet"), words.locale)
    if quiet is not None:
        interactions.write(guild.person(CUSTOMER).id, quiet, words("scene.casey"))
