"""Where simcord's page draws something otherwise than Discord's own clients."""

from __future__ import annotations

from simcord.preview import _markdown

FIELDS = ("embed_description", "embed_field_value")


def draw_mentions_in_embeds() -> None:
    """Discord shows `<@1>` in an embed as a name, without a ping; simcord as it was typed."""
    policies = _markdown._FIELD_POLICIES  # pyright: ignore[reportPrivateUsage]
    for field in FIELDS:
        policies[field]["mentions"] = True
