"""What a visitor does: as one of the people in Discord, by a guided step, or to the servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from simcord.backend.errors import BackendError, SetupError

from demo.chaos import Blow
from demo.guided_steps import CUSTOMER, SUPPORT
from demo.observer import TicketTruth
from demo.page.looking import Looking, looking
from demo.page.rendering import Templates
from demo.page.ticket_view import deadline_of
from demo.services import DemoServices
from demo.virtual_discord import Actor, Failure, Outcome
from demo.virtual_discord.interactions import refusal
from domains.ticket_lifecycle.models import TicketStatus

MAX_BODY = 64 * 1024
MAX_TEXT = 2000
ANSWERS = ("accept", "deny", "extend")


class Said(BaseModel):
    """One request. Ids are text in JSON: JavaScript's numbers are too small for them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    do: str
    as_: str = Field("", alias="as")
    in_: str = Field("", alias="in")
    lang: str = ""
    about: str = ""
    text: str = Field("", max_length=MAX_TEXT)
    message: int = 0
    custom_id: str = ""
    values: list[str] = []
    command: str = ""
    options: dict[str, str] = {}
    focused: str = ""
    interaction: int = 0
    fields: dict[str, list[str]] = {}
    step: str = ""
    delay: str = "30s"
    blow: str = ""


Answer = dict[str, Any]


class Actions:
    def __init__(self, services: DemoServices, templates: Templates) -> None:
        self._services = services
        self._templates = templates
        self._handlers: Mapping[str, Callable[[Said, Looking], Awaitable[Answer]]] = {
            "write": self._write,
            "press": self._press,
            "choose": self._choose,
            "run": self._run,
            "suggest": self._suggest,
            "submit": self._submit,
            "step": self._step,
            "strike": self._strike,
            "speak": self._speak,
        }

    async def handle(self, request: web.Request) -> web.Response:
        try:
            said = Said.model_validate_json(await request.read())
        except ValidationError:
            raise web.HTTPBadRequest(text="That is not understood.\n") from None
        handler = self._handlers.get(said.do)
        if handler is None:
            raise web.HTTPBadRequest(text="That cannot be done here.\n")
        view = looking(
            self._services.guild,
            {"as": said.as_, "in": said.in_, "lang": said.lang, "about": said.about},
        )
        try:
            answer = await handler(said, view)
        except (BackendError, SetupError) as error:
            answer = {"error": refusal(error)}
        return web.json_response(answer)

    # --- as a person in Discord

    def _actor(self, view: Looking) -> Actor:
        channel = view.channel(self._services.guild)
        if channel is None:
            raise SetupError(view.words("failure.gone"))
        return Actor(view.person.id, channel.id, view.words.locale)

    async def _write(self, said: Said, view: Looking) -> Answer:
        actor = self._actor(view)
        if said.text.strip():
            self._services.interactions.write(actor.user_id, actor.channel_id, said.text)
        return {}

    async def _press(self, said: Said, view: Looking) -> Answer:
        do = self._services.interactions
        return self._told(await do.press(self._actor(view), said.message, said.custom_id), view)

    async def _choose(self, said: Said, view: Looking) -> Answer:
        do = self._services.interactions
        outcome = await do.choose(self._actor(view), said.message, said.custom_id, said.values)
        return self._told(outcome, view)

    async def _run(self, said: Said, view: Looking) -> Answer:
        do = self._services.interactions
        return self._told(await do.run_command(self._actor(view), said.command, said.options), view)

    async def _suggest(self, said: Said, view: Looking) -> Answer:
        outcome = await self._services.interactions.autocomplete(
            self._actor(view), said.command, said.options, said.focused
        )
        return {"choices": [_choice(each, view.words.locale) for each in outcome.choices]}

    async def _submit(self, said: Said, view: Looking) -> Answer:
        outcome = await self._services.interactions.submit(
            view.person.id, said.interaction, said.fields, view.words.locale
        )
        return self._told(outcome, view)

    def _told(self, outcome: Outcome, view: Looking) -> Answer:
        if outcome.failure is not None:
            return {"error": view.words(f"failure.{outcome.failure}")}
        if outcome.modal is None:
            return {}
        guild = self._services.guild
        form = self._templates.render(
            "modal",
            {
                "t": view.words,
                "modal": outcome.modal,
                "interaction": outcome.interaction_id,
                "names": guild.names(),
                "people": guild.people,
                "roles": guild.backend.get_guild(guild.id).roles.values(),
                "channels": guild.channels_of(view.person),
            },
        )
        return {"modal": form}

    # --- guided

    async def _step(self, said: Said, view: Looking) -> Answer:
        words, steps = view.words, self._services.steps
        if said.step != "write" and not self._services.discord.gateway.connected:
            return {"error": words(f"failure.{Failure.OFFLINE}")}
        if said.step == "open":
            channel_id = await steps.open_ticket(CUSTOMER, words("step.subject"), words.locale)
            if channel_id is None:
                return {"error": words("step.failed")} | _go(
                    CUSTOMER, self._services.guild.welcome_id
                )
            return _go(CUSTOMER, channel_id)
        await self._services.observer.refresh()
        ticket = self._ticket(view, with_deadline=said.step != "ask")
        if ticket is None or ticket.ticket.channel_id is None:
            return {"error": words("failure.gone")}
        channel_id = ticket.ticket.channel_id
        if said.step == "ask":
            await steps.ask_to_close(channel_id, words("step.reason"), said.delay, words.locale)
            return _go(SUPPORT, channel_id)
        opener = self._services.guild.person(CUSTOMER)
        if said.step in ANSWERS:
            await steps.answer(opener, ticket, said.step, words.locale)
        elif said.step == "write":
            self._services.interactions.write(opener.id, channel_id, words("step.reply"))
        return _go(opener.name, channel_id)

    def _ticket(self, view: Looking, *, with_deadline: bool) -> TicketTruth | None:
        """The one that is looked at, else the newest, of those that casey has open."""
        casey = self._services.guild.person(CUSTOMER)
        truth = self._services.observer.truth
        channel = view.channel(self._services.guild)
        mine: Sequence[TicketTruth] = [
            each
            for each in truth.tickets.values()
            if each.ticket.opener_id == casey.id
            and each.ticket.status is TicketStatus.OPEN
            and (deadline_of(each) is not None or not with_deadline)
        ]
        here = [
            each
            for each in mine
            if (channel is not None and each.ticket.channel_id == channel.id)
            or each.ticket.id == view.about
        ]
        return next(iter([*here, *mine]), None)

    # --- to the servers

    async def _strike(self, said: Said, view: Looking) -> Answer:  # noqa: ARG002
        try:
            blow = Blow(said.blow)
        except ValueError:
            raise web.HTTPBadRequest(text="There is no such thing to do.\n") from None
        return {"struck": self._services.chaos.strike(blow)}

    async def _speak(self, said: Said, view: Looking) -> Answer:  # noqa: ARG002
        """The server's language follows the visitor's."""
        self._services.guild.speak(view.words.locale)
        return {}


def _choice(choice: Mapping[str, Any], locale: str) -> Mapping[str, str]:
    translations: Mapping[str, str] = choice.get("name_localizations") or {}
    label = translations.get(locale) or str(choice["name"])
    return {"value": str(choice["value"]), "label": label}


def _go(person: str, channel_id: int) -> Answer:
    return {"go": {"as": person, "in": str(channel_id)}}
