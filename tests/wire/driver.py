"""What the people in a Discord server do, in a test's words: type, click, fill in, write.

Each method does what Discord's client would let that member do, and raises ClientRefusalError
where it would not. The `begin_` forms return at once, for tests in which the bot is about to die;
the others wait for a bot to be connected, and for its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import channels, forms, messages, options
from .initiate import initiate
from .interactions import Choice, Interaction, InteractionType
from .json_types import JsonObject
from .models import Channel, ChannelType, File, Member, Message, User
from .options import ClientRefusalError
from .permissions import Permission
from .scenery import Scenery, user_of
from .server import WAIT_TIMEOUT_S

# Beyond the 3 seconds after which Discord says "The application did not respond".
GRACE_SECONDS = 0.5


class Discord(Scenery):
    async def slash(
        self, member: Member, channel: Channel, command: str, /, **values: object
    ) -> Interaction:
        """`await discord.slash(staff, ticket, "autoclose exclude")`: answered in full.

        Values are text, numbers, members, roles and channels.
        """
        await self._wait_command(channel, command)
        return await self._in_full(self.begin_slash(member, channel, command, **values))

    def begin_slash(
        self, member: Member, channel: Channel, command: str, /, **values: object
    ) -> Interaction:
        self._require_sight(member, channel)
        registered = self._require_command(channel, command)
        data = options.fill_in(registered, command.split()[1:], values)
        return initiate(
            self.world, InteractionType.COMMAND, member, channel, data, what=f"/{command}"
        )

    async def autocomplete(
        self, member: Member, channel: Channel, command: str, /, **values: object
    ) -> list[Choice]:
        """What is offered while the last of the values is being typed."""
        await self._wait_command(channel, command)
        registered = self._require_command(channel, command)
        focused = list(values)[-1]
        data = options.fill_in(registered, command.split()[1:], values, focused)
        interaction = initiate(
            self.world,
            InteractionType.AUTOCOMPLETE,
            member,
            channel,
            data,
            what=f"the autocompletion of {focused} in /{command}",
        )
        return (await self._in_full(interaction)).choices

    async def click(self, member: Member | User, message: Message, which: str) -> Interaction:
        """A button, by its custom_id or its label."""
        await self.wait_ready()
        return await self._in_full(self.begin_click(member, message, which))

    def begin_click(self, member: Member | User, message: Message, which: str) -> Interaction:
        button = forms.find_button(message, which)
        data: JsonObject = {
            "custom_id": button["custom_id"],
            "component_type": button["type"],
            "id": button.get("id", 0),
        }
        return self._use_component(member, message, data, f"the button {which!r}")

    async def select(
        self, member: Member | User, message: Message, custom_id: str, values: Iterable[str]
    ) -> Interaction:
        await self.wait_ready()
        menu = forms.find_select(message, custom_id)
        data: JsonObject = {
            "custom_id": custom_id,
            "component_type": menu["type"],
            "id": menu.get("id", 0),
            "values": list(values),
        }
        interaction = self._use_component(member, message, data, f"the menu {custom_id!r}")
        return await self._in_full(interaction)

    async def submit_modal(
        self, member: Member | User, opened_by: Interaction, answers: Mapping[str, str]
    ) -> Interaction:
        """The form an interaction was answered with; fields by custom_id or label."""
        await self.wait_ready()
        return await self._in_full(self.begin_submit_modal(member, opened_by, answers))

    def begin_submit_modal(
        self, member: Member | User, opened_by: Interaction, answers: Mapping[str, str]
    ) -> Interaction:
        modal = opened_by.modal
        if modal is None:
            raise ClientRefusalError(f"{opened_by.what} opened no form")
        data: JsonObject = {
            "custom_id": modal["custom_id"],
            "components": forms.fill_in(modal, answers),
        }
        return initiate(
            self.world,
            InteractionType.MODAL_SUBMIT,
            member,
            opened_by.channel,
            data,
            what=f"the form {modal['title']!r}",
            source=opened_by.source,
            opened_by=opened_by,
        )

    def _use_component(
        self, member: Member | User, message: Message, data: JsonObject, what: str
    ) -> Interaction:
        self._require_sight(member, message.channel)
        if message.deleted or message.visible_to not in (None, user_of(member)):
            raise ClientRefusalError(f"{member.name} can't see that message")
        return initiate(
            self.world,
            InteractionType.COMPONENT,
            member,
            message.channel,
            data,
            what=what,
            source=message,
        )

    async def _in_full(self, interaction: Interaction) -> Interaction:
        await interaction.answered(within=self.world.answer_within_seconds + GRACE_SECONDS)
        return await interaction.finished(within=WAIT_TIMEOUT_S)

    async def say(
        self,
        member: Member | User,
        channel: Channel,
        text: str = "",
        attachments: Iterable[File] = (),
        *,
        reply_to: Message | None = None,
    ) -> Message:
        self._require_sight(member, channel, channel.writing_permission)
        if channel.thread is not None and channel.thread.locked:
            raise ClientRefusalError(f"{channel.name} is locked")
        body: JsonObject = {"content": text}
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to.id}
        files = dict(enumerate(attachments))
        return messages.create(self.world, channel, user_of(member), body, files)

    async def start_thread(self, member: Member, channel: Channel, name: str) -> Channel:
        """A public one, without a message to start from."""
        self._require_sight(member, channel, Permission.CREATE_PUBLIC_THREADS)
        body: JsonObject = {"name": name, "type": int(ChannelType.PUBLIC_THREAD)}
        return channels.create_thread(self.world, channel, body, member.user)

    async def edit_message(self, message: Message, text: str) -> None:
        messages.edit(self.world, message, {"content": text})

    async def delete_message(self, message: Message) -> None:
        messages.delete(self.world, message)

    async def wait_message(
        self, channel: Channel, text: str, *, within: float = WAIT_TIMEOUT_S
    ) -> Message:
        """The newest message there whose content, embeds or components contain the text."""

        def found() -> Message | None:
            newest_first = reversed(channel.messages.values())
            return next((message for message in newest_first if text in message.text), None)

        message = await self.until(found, f"{text!r} in {channel.name}", within=within)
        assert message is not None
        return message

    def _require_sight(self, member: Member | User, channel: Channel, *needed: Permission) -> None:
        if channel.deleted:
            raise ClientRefusalError(f"{channel.name} is gone")
        if channel.guild_id is None:
            if user_of(member) is not channel.recipient:
                raise ClientRefusalError(f"{member.name} is not in that DM")
            return
        held = self.world.permissions(self._as_member(member, channel.guild_id), channel)
        for permission in (Permission.VIEW_CHANNEL, *needed):
            if permission not in held:
                raise ClientRefusalError(f"{member.name} lacks {permission.name} in {channel.name}")

    def _as_member(self, member: Member | User, guild_id: int) -> Member:
        found = self.world.guilds[guild_id].members.get(member.id)
        if found is None:
            raise ClientRefusalError(f"{member.name} is not in that server")
        return found

    def _find_command(self, channel: Channel, command: str) -> JsonObject | None:
        name = command.split(maxsplit=1)[0]
        offered = self.world.commands_in(channel.guild_id)
        return next((each for each in offered if each["name"] == name), None)

    async def _wait_command(self, channel: Channel, command: str) -> None:
        """A bot registers its commands before it connects, and is asked only then."""
        await self.until(lambda: self._find_command(channel, command), f"/{command} to be known")
        await self.wait_ready()

    def _require_command(self, channel: Channel, command: str) -> JsonObject:
        registered = self._find_command(channel, command)
        if registered is None:
            raise ClientRefusalError(f"there is no command /{command}")
        return registered
