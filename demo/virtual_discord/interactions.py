"""What people do: write, press, choose, run commands. Permissions are asked for as for any member.

Each method ends when the bot has answered, or has failed to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simcord import interactions as wire
from simcord.backend import Backend, serializers
from simcord.backend.access import channel_accessible, message_accessible
from simcord.backend.command_access import command_access
from simcord.backend.errors import BackendError, SetupError
from simcord.backend.models import Interaction, Message
from simcord.components import walk_components
from simcord.enums import SELECT_TYPES, ComponentType, InteractionType

from demo.virtual_discord.actor import Actor
from demo.virtual_discord.changes import ChangeSignal
from demo.virtual_discord.forms import Form, Values
from demo.virtual_discord.gateway import Gateway
from demo.virtual_discord.options import Call, fill_in, resolve

ANSWER_TIMEOUT_S = 3.0
"""After which Discord's clients say that the application did not respond."""


class Failure(StrEnum):
    OFFLINE = "offline"
    """No bot is connected."""
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the bot answered, apart from the messages it sent or changed."""

    failure: Failure | None = None
    interaction_id: int = 0
    modal: Mapping[str, Any] | None = None
    choices: Sequence[Mapping[str, Any]] = ()


class Interactions:
    """Refusals are simcord's: BackendError with Discord's code, SetupError with a sentence."""

    def __init__(self, backend: Backend, gateway: Gateway, changes: ChangeSignal) -> None:
        self._backend = backend
        self._gateway = gateway
        self._changes = changes

    # --- without the bot

    def write(self, user_id: int, channel_id: int, text: str) -> Message:
        channel = self._backend.get_channel(channel_id)
        permission = "send_messages_in_threads" if channel.is_thread else "send_messages"
        self._backend.require_permissions(channel.guild_id, user_id, channel_id, permission)
        return self._backend.create_message(channel_id, user_id, text)

    # --- to the bot

    async def run_command(self, actor: Actor, command: str, typed: Mapping[str, str]) -> Outcome:
        """`command` is the whole path: "autoclose exclude"."""
        data = self._command(actor, command, typed)
        kind = InteractionType.APPLICATION_COMMAND
        return await self._ask(kind, actor, data)

    async def autocomplete(
        self, actor: Actor, command: str, typed: Mapping[str, str], focused: str
    ) -> Outcome:
        data = self._command(actor, command, typed, focused)
        kind = InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE
        return await self._ask(kind, actor, data)

    async def press(self, actor: Actor, message_id: int, custom_id: str) -> Outcome:
        message = self._visible(actor, message_id)
        button = _component(message, custom_id, (ComponentType.BUTTON,))
        data = {"custom_id": custom_id, "component_type": button["type"], "id": button.get("id", 0)}
        return await self._ask(InteractionType.MESSAGE_COMPONENT, actor, data, message)

    async def choose(
        self, actor: Actor, message_id: int, custom_id: str, values: Sequence[str]
    ) -> Outcome:
        message = self._visible(actor, message_id)
        menu = _component(message, custom_id, SELECT_TYPES)
        resolved: dict[str, dict[str, Any]] = {}
        if menu["type"] == ComponentType.STRING_SELECT:
            offered = {option["value"] for option in menu.get("options") or ()}
        else:
            offered = {
                value
                for value in values
                if value.isdecimal() and resolve(self._backend, actor, int(value), resolved)
            }
        if not offered.issuperset(values):
            raise SetupError("That is not one of the choices.")
        data = {
            "custom_id": custom_id,
            "component_type": menu["type"],
            "id": menu.get("id", 0),
            "values": list(values),
            "resolved": resolved,
        }
        return await self._ask(InteractionType.MESSAGE_COMPONENT, actor, data, message)

    async def submit(
        self, user_id: int, interaction_id: int, values: Values, locale: str
    ) -> Outcome:
        """The modal that an interaction of this person was answered with."""
        shown = self._backend.interactions.get(interaction_id)
        if shown is None or shown.user_id != user_id or shown.modal is None or shown.modal_consumed:
            raise SetupError("That form is not open any more.")
        actor = Actor(user_id, shown.channel_id, locale)
        form = Form(self._backend, actor, values)
        components = form.fill_in(shown.modal["components"])
        data: dict[str, Any] = {"custom_id": shown.modal["custom_id"], "components": components}
        if form.resolved:
            data["resolved"] = form.resolved
        source = None
        if shown.source_message_id is not None:
            source = self._visible(actor, shown.source_message_id)
        shown.modal_consumed = True
        return await self._ask(InteractionType.MODAL_SUBMIT, actor, data, source)

    async def finished(self, outcome: Outcome, within_s: float) -> bool:
        """Whether the bot, which may have said at first that it is thinking, is done."""
        record = self._backend.interactions.get(outcome.interaction_id)
        if record is None:
            return False
        return bool(await self._changes.until(lambda: not record.loading, within_s))

    # --- shared

    def _command(
        self, actor: Actor, command: str, typed: Mapping[str, str], focused: str | None = None
    ) -> dict[str, Any]:
        name, *nesting = command.split()
        root = self._backend.find_command(
            name, self._backend.get_channel(actor.channel_id).guild_id
        )
        if root is None or not self._may_run(actor, root):
            raise SetupError(f"/{command} is not there for this person.")
        options, resolved = fill_in(self._backend, actor, Call(root, nesting, typed, focused))
        data: dict[str, Any] = {
            "id": root["id"],
            "name": root["name"],
            "type": root["type"],
            "options": options,
        }
        return data | ({"resolved": resolved} if resolved else {})

    def _may_run(self, actor: Actor, command: dict[str, Any]) -> bool:
        return command_access(
            self._backend, command, user_id=actor.user_id, channel_id=actor.channel_id
        ).allowed

    def _visible(self, actor: Actor, message_id: int) -> Message:
        message = self._backend.get_message(actor.channel_id, message_id)
        if not message_accessible(self._backend, actor.channel_id, message, actor.user_id):
            raise SetupError("That message is not there for this person.")
        return message

    async def _ask(
        self,
        kind: InteractionType,
        actor: Actor,
        data: dict[str, Any],
        source: Message | None = None,
    ) -> Outcome:
        if not channel_accessible(self._backend, actor.channel_id, actor.user_id):
            raise SetupError("That channel is not there for this person.")
        if not self._gateway.connected:
            return Outcome(Failure.OFFLINE)
        record, payload = wire.base_payload(
            self._backend,
            type=kind,
            channel_id=actor.channel_id,
            guild_id=self._backend.get_channel(actor.channel_id).guild_id,
            user_id=actor.user_id,
            data=data,
        )
        payload["locale"] = actor.locale  # simcord's are always American
        if "guild_locale" in payload:
            guild = self._backend.get_guild(int(payload["guild_id"]))
            payload["guild_locale"] = guild.preferred_locale
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = dict(serializers.message_payload(self._backend, source))
        self._backend.emit("INTERACTION_CREATE", payload)
        await self._changes.until(lambda: record.responded, ANSWER_TIMEOUT_S)
        return _outcome(record)


def _outcome(record: Interaction) -> Outcome:
    if not record.responded:
        return Outcome(Failure.NO_ANSWER)
    return Outcome(
        interaction_id=record.id, modal=record.modal, choices=record.autocomplete_choices or ()
    )


def _component(message: Message, custom_id: str, kinds: Sequence[int]) -> Mapping[str, Any]:
    for component in walk_components(message.components):
        if component.get("custom_id") == custom_id and component.get("type") in kinds:
            if component.get("disabled"):
                raise SetupError("That is switched off.")
            return component
    raise SetupError("That is not there any more.")


def refusal(error: BackendError | SetupError) -> str:
    """What Discord says to the person, in its own English."""
    return error.message if isinstance(error, BackendError) else str(error)
