"""The commands' own texts, which Discord shows each person in their language.

A command carries its English text and the key; Discord is given the others when the commands are
synced. Names stay English: they are what support tells members to type.
"""

from __future__ import annotations

from discord import Locale
from discord.app_commands import CommandTree, TranslationContextTypes, Translator, locale_str
from discord.ext import commands

from locales import DEFAULT_LOCALE, LOCALES, Text


def described(name: str) -> locale_str:
    """What `commands.po` says of a command or of one of its options: `close`, `close.reason`."""
    return translatable(Text(f"commands.{name}"))


def translatable(said: Text) -> locale_str:
    return locale_str(said.in_locale(DEFAULT_LOCALE), text=said)


class CommandTranslator(Translator):
    """Of our commands' texts. What else a host bot has translated is left to its own translator."""

    def __init__(self, host: Translator | None = None) -> None:
        self._host = host

    async def load(self) -> None:
        if self._host is not None:
            await self._host.load()

    async def unload(self) -> None:
        if self._host is not None:
            await self._host.unload()

    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        said = string.extras.get("text")
        if isinstance(said, Text):
            language = locale.value.partition("-")[0]
            is_other = language in LOCALES and language != DEFAULT_LOCALE
            return said.in_locale(language) if is_other else None
        return None if self._host is None else await self._host.translate(string, locale, context)


async def translate_commands(bot: commands.Bot) -> None:
    tree: CommandTree[commands.Bot] = bot.tree
    await tree.set_translator(CommandTranslator(tree.translator))
