"""What the page does for a visitor on a click, as people would: through the bot, by its own buttons
and commands. Nothing is read from a message; what there is to act on is in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simcord.components import walk_components
from simcord.enums import ComponentType

from demo.guild import DemoGuild, Person
from demo.observer import TicketTruth
from demo.virtual_discord import Actor, Interactions, Outcome, VirtualDiscord
from domains.errors import StartupError

CUSTOMER = "casey"
SUPPORT = "sam"
OTHER_CUSTOMER = "robin"
OWNER = "alex"
OPEN_BUTTON = "ticket:open"
FINISH_TIMEOUT_S = 10.0
SETUP_TIMEOUT_S = 20.0
SEE = "see what it says above"


class GuidedSteps:
    def __init__(
        self, guild: DemoGuild, discord: VirtualDiscord, interactions: Interactions
    ) -> None:
        self._guild = guild
        self._discord = discord
        self._do = interactions

    async def set_up(self, locale: str) -> None:
        """As the server's owner would. Raises StartupError if it does not come about."""
        setup = {
            "support_role": str(self._guild.support_role_id),
            "log_channel": str(self._guild.log_id),
        }
        await self._run_as_owner("setup", setup, locale)
        await self._run_as_owner("panel", {"channel": str(self._guild.welcome_id)}, locale)
        if self._panel() is None:
            raise StartupError(f"The demo's bot does not post its panel; {SEE}")

    async def _run_as_owner(self, command: str, typed: Mapping[str, str], locale: str) -> None:
        owner = Actor(self._guild.person(OWNER).id, self._guild.log_id, locale)
        outcome = await self._do.run_command(owner, command, typed)
        if not await self._do.finished(outcome, SETUP_TIMEOUT_S):
            raise StartupError(f"The demo's bot does not answer /{command}; {SEE}")

    async def open_ticket(self, name: str, subject: str, locale: str) -> int | None:
        """Its channel; None if the bot did not open one, and has said why."""
        person, panel = self._guild.person(name), self._panel()
        if panel is None:
            return None
        actor = Actor(person.id, self._guild.welcome_id, locale)
        before = {channel.id for channel in self._guild.channels_of(person)}
        shown = await self._do.press(actor, panel, OPEN_BUTTON)
        if shown.modal is None:
            return None
        values = {field: [subject] for field in _text_fields(shown.modal)}
        sent = await self._do.submit(person.id, shown.interaction_id, values, locale)
        await self._do.finished(sent, FINISH_TIMEOUT_S)
        after = [channel.id for channel in self._guild.channels_of(person)]
        return next((each for each in after if each not in before), None)

    async def ask_to_close(self, channel_id: int, reason: str, delay: str, locale: str) -> Outcome:
        actor = Actor(self._guild.person(SUPPORT).id, channel_id, locale)
        typed = {"reason": reason, "close_delay": delay}
        return await self._do.run_command(actor, "closerequest", typed)

    async def answer(self, person: Person, truth: TicketTruth, answer: str, locale: str) -> None:
        """Press `accept`, `deny` or `extend` below the question that the database knows."""
        channel_id, request = truth.ticket.channel_id, truth.request
        if channel_id is None or request is None or request.message_id is None:
            return
        message = self._guild.backend.get_message(channel_id, request.message_id)
        prefix = f"ticket:close_request:{answer}:{request.id}"
        ids = (str(each.get("custom_id", "")) for each in walk_components(message.components))
        custom_id = next((each for each in ids if each.startswith(prefix)), None)
        if custom_id is not None:
            await self._do.press(Actor(person.id, channel_id, locale), message.id, custom_id)

    def _panel(self) -> int | None:
        """The message with the button."""
        for message in self._guild.backend.messages[self._guild.welcome_id].values():
            for component in walk_components(message.components):
                if component.get("custom_id") == OPEN_BUTTON:
                    return message.id
        return None


def _text_fields(modal: Mapping[str, Any]) -> Iterator[str]:
    for component in walk_components(modal["components"]):
        if component.get("type") == ComponentType.TEXT_INPUT:
            yield component["custom_id"]
