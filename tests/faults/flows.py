"""What people do while the bot is killed under their hands, and do again if nothing came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tests.faults.fault_env import FaultEnv
from tests.waiting import eventually
from tests.wire import Channel, Interaction, Message


class Flow(ABC):
    name: ClassVar[str]
    final: ClassVar[tuple[str, str | None]]
    """What the ticket and its latest request are in the end."""
    replies: ClassVar[int | None] = None
    """How many the close request has in the end, if that is for this flow to say."""
    timeout_s: ClassVar[float] = 0.0
    """How long to wait before doing it again."""

    def __init__(self, fault_env: FaultEnv) -> None:
        self.fault_env = fault_env

    @abstractmethod
    async def prepare(self) -> None:
        """All that comes before, with a bot that lives."""

    @abstractmethod
    async def begin(self) -> None:
        """Do it, without waiting for the bot."""

    @abstractmethod
    async def is_done(self) -> bool:
        """Whether it had its full effect."""

    async def again(self) -> None:
        """The bot was killed before it knew of anything, so whoever did it does it again."""
        await self.prepare_again()
        await self.begin()

    async def prepare_again(self) -> None:
        return


class Opening(Flow):
    name = "opening"
    final = ("open", None)

    async def prepare(self) -> None:
        fault_env = self.fault_env
        panel = await fault_env.panel()
        self._form: Interaction = await fault_env.discord.click(
            fault_env.discord.customer, panel, "Open a ticket"
        )
        self._before = await self._count()

    async def prepare_again(self) -> None:
        await self.prepare()

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_submit_modal(discord.customer, self._form, {"subject": "It is broken"})

    async def _count(self) -> int:
        found = await self.fault_env.value(
            """select count(*) from punctual.tickets t where not exists (
                   select from punctual.effects e
                   where e.ticket_id = t.id and e.kind in ('open-channel', 'welcome'))"""
        )
        assert isinstance(found, int)
        return found

    async def is_done(self) -> bool:
        return await self._count() > self._before


class InATicket(Flow):
    channel: Channel

    async def prepare(self) -> None:
        self.channel = await self.fault_env.open()

    async def is_done(self) -> bool:
        ticket, request = self.final
        return (
            await self.fault_env.status(self.channel) == ticket
            and await self.fault_env.request_status(self.channel) == request
        )


class Asking(InATicket):
    name = "asking"
    final = ("open", "pending")

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_slash(discord.staff, self.channel, "closerequest", close_delay="1h")

    async def is_done(self) -> bool:
        message_id = await self.fault_env.value(
            """select r.message_id from punctual.close_requests r
               join punctual.tickets t on t.id = r.ticket_id
               where t.channel_id = $1 and r.status = 'pending'""",
            self.channel.id,
        )
        return message_id is not None


class Asked(InATicket):
    request: Message

    async def prepare(self) -> None:
        await super().prepare()
        self.request = await self.fault_env.ask(self.channel, "1h")


class Denying(Asked):
    name = "denying"
    final = ("open", "denied")
    replies = 1

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_click(discord.customer, self.request, "Deny & Keep Open")


class Replying(Asked):
    name = "replying"
    final = ("open", "answered")
    replies = 1

    async def begin(self) -> None:
        discord = self.fault_env.discord
        await discord.say(discord.customer, self.channel, "It is not solved")


class Accepting(Asked):
    name = "accepting"
    final = ("closed", "accepted")

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_click(discord.customer, self.request, "Accept & Close")


class Closing(Asked):
    name = "closing"
    final = ("closed", "closed")

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_slash(discord.staff, self.channel, "close", reason="Solved")


class Excluding(Asked):
    name = "excluding"
    final = ("open", "pending")

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_slash(discord.staff, self.channel, "autoclose exclude")

    async def is_done(self) -> bool:
        return (
            await self.fault_env.value(
                "select exclude_from_autoclose from punctual.tickets where channel_id = $1",
                self.channel.id,
            )
            is True
        )


class Extending(Asked):
    name = "extending"
    final = ("open", "pending")
    replies = 1

    async def begin(self) -> None:
        discord = self.fault_env.discord
        discord.begin_click(discord.customer, self.request, "Need more time")

    async def is_done(self) -> bool:
        extensions = await self.fault_env.value(
            """select r.extensions from punctual.close_requests r
               join punctual.tickets t on t.id = r.ticket_id
               where t.channel_id = $1""",
            self.channel.id,
        )
        return extensions == 1


class Expiring(InATicket):
    """Nobody does anything: the alarm clock rings."""

    name = "expiring"
    final = ("closed", "expired")
    timeout_s = 10.0

    async def prepare(self) -> None:
        await super().prepare()
        await self.fault_env.ask(self.channel, "1s")

    async def begin(self) -> None:
        return

    async def again(self) -> None:
        raise AssertionError("the deadline passed and nothing came of it")


FLOWS: tuple[type[Flow], ...] = (
    Opening,
    Asking,
    Denying,
    Replying,
    Extending,
    Excluding,
    Accepting,
    Closing,
    Expiring,
)


async def finish(flow: Flow) -> None:
    """See it through after a fault: by itself if it can, else by doing it again."""
    try:
        await eventually(flow.is_done, flow.timeout_s)
    except AssertionError:
        await flow.again()
        await eventually(flow.is_done)
