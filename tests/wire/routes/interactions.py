"""Answers to interactions. The interaction's token is the key here, not the bot's."""

from .. import errors, messages, payloads, replies
from ..call import NO_CONTENT, Answer, Call, ok
from ..interactions import Interaction
from ..json_types import JsonObject
from ..state import World


def respond(world: World, call: Call) -> Answer:
    interaction = world.interactions.get(call.variables["interaction_token"])
    if interaction is None or interaction.id != call.id("interaction_id"):
        raise errors.unknown("interaction")
    replies.respond(world, interaction, call.json, call.files)
    if call.query.get("with_response") not in ("1", "true"):
        return NO_CONTENT
    return ok(_callback_result(interaction))


def follow_up(world: World, call: Call) -> Answer:
    interaction = _interaction(world, call)
    message = replies.follow_up(world, interaction, call.json, call.files)
    return ok(payloads.message(message))


def get_reply(world: World, call: Call) -> Answer:
    message = replies.find(_interaction(world, call), call.variables["message_id"])
    return ok(payloads.message(message))


def edit_reply(world: World, call: Call) -> Answer:
    message = replies.find(_interaction(world, call), call.variables["message_id"])
    replies.edit(world, message, call.json, call.files)
    return ok(payloads.message(message))


def delete_reply(world: World, call: Call) -> Answer:
    message = replies.find(_interaction(world, call), call.variables["message_id"])
    messages.delete(world, message)
    return NO_CONTENT


def _interaction(world: World, call: Call) -> Interaction:
    interaction = world.interactions.get(call.variables["webhook_token"])
    if call.variables["webhook_id"] != str(world.bot.id):
        raise errors.unknown("Webhook")
    if interaction is None or interaction.expired:
        raise errors.invalid_webhook_token()
    return interaction


def _callback_result(interaction: Interaction) -> JsonObject:
    """The message itself only for an answer that is complete: so Discord documents it."""
    summary: JsonObject = {"id": str(interaction.id), "type": int(interaction.type)}
    result: JsonObject = {"interaction": summary}
    if (message := interaction.original) is not None:
        summary["response_message_id"] = str(message.id)
        summary["response_message_loading"] = message.loading
        summary["response_message_ephemeral"] = message.ephemeral
        if interaction.response is not None and not interaction.deferred:
            kind = int(interaction.response.type)
            result["resource"] = {"type": kind, "message": payloads.message(message)}
    return result


_WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGE = _WEBHOOK + "/messages/{message_id}"  # @original among them

ROUTES = {
    ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"): respond,
    ("POST", _WEBHOOK): follow_up,
    ("GET", _MESSAGE): get_reply,
    ("PATCH", _MESSAGE): edit_reply,
    ("DELETE", _MESSAGE): delete_reply,
}
