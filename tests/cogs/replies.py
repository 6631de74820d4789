"""What an interaction told the one who asked, and nobody else."""

from __future__ import annotations

from simcord import InteractionResult

from tests.cogs.shown import words


def reply(result: InteractionResult) -> str:
    """The last thing said, privately. Fails if the interaction was left without an answer."""
    return replies(result)[-1]


def replies(result: InteractionResult) -> list[str]:
    assert result.acknowledged, "the interaction was not answered: Discord says it failed"
    pressed = result._interaction.source_message_id  # pyright: ignore[reportPrivateUsage]
    answers = [
        message
        for message in (result.response, *result.followups)
        if message is not None and message.id != pressed
    ]
    private = [words(message) for message in answers if message.ephemeral]
    assert private, f"nothing was said privately: {result!r}"
    assert all(private), f"an answer was left empty, as a deferral without an end: {result!r}"
    assert not [message for message in result.followups if not message.ephemeral], "said in public"
    return private


def refusal(result: InteractionResult) -> str:
    """The only thing said, which is one sentence."""
    texts = replies(result)
    assert len(texts) == 1, f"said more than once: {texts}"
    assert is_a_sentence(texts[0]), f"not a sentence: {texts[0]!r}"
    return texts[0]


def is_a_sentence(text: str) -> bool:
    begins = text[:1].isupper() or text.startswith("<@")
    return begins and text.endswith((".", "!", "?")) and "\n" not in text
