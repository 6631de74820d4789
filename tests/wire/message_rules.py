"""What Discord refuses in a message although each field alone would do."""

from collections.abc import Iterable

from . import errors
from .json_types import JsonObject, child, children
from .models import MessageFlag, walk

CONTENT_LIMIT = 2000
EMBED_TEXT_LIMIT = 6000
EMBEDS_LIMIT = 10


def check(body: JsonObject) -> None:
    """Of a message to be created or of an edit: what is not there is not checked."""
    _check_content(body.get("content") or "")
    _check_embeds(children(body, "embeds"))
    _check_components(children(body, "components"))
    _check_allowed_mentions(child(body, "allowed_mentions"))
    if MessageFlag.COMPONENTS_V2 & (body.get("flags") or 0) and (
        body.get("content") or body.get("embeds")
    ):
        raise errors.invalid_form(
            "content",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        )


def check_not_empty(body: JsonObject, has_files: bool) -> None:
    if not has_files and not any(body.get(part) for part in ("content", "embeds", "components")):
        raise errors.empty_message()


def _check_content(content: str) -> None:
    if len(content) > CONTENT_LIMIT:
        raise errors.invalid_form(
            "content",
            "BASE_TYPE_MAX_LENGTH",
            f"Must be {CONTENT_LIMIT} or fewer in length.",
        )


def _check_embeds(embeds: list[JsonObject]) -> None:
    if len(embeds) > EMBEDS_LIMIT:
        raise errors.invalid_form(
            "embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS_LIMIT} or fewer in length."
        )
    if sum(len(text) for embed in embeds for text in _embed_texts(embed)) > EMBED_TEXT_LIMIT:
        raise errors.invalid_form(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {EMBED_TEXT_LIMIT}",
        )


def _embed_texts(embed: JsonObject) -> Iterable[str]:
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    yield child(embed, "footer").get("text") or ""
    yield child(embed, "author").get("name") or ""
    for field in children(embed, "fields"):
        yield field.get("name") or ""
        yield field.get("value") or ""


def _check_components(components: list[JsonObject]) -> None:
    custom_ids = [each["custom_id"] for each in walk(components) if each.get("custom_id")]
    if len(custom_ids) != len(set(custom_ids)):
        raise errors.invalid_form(
            "components",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
            "Component custom id cannot be duplicated",
        )


def _check_allowed_mentions(allowed: JsonObject) -> None:
    for kind in ("users", "roles"):
        if kind in (allowed.get("parse") or ()) and allowed.get(kind):
            raise errors.invalid_form(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
