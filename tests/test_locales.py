"""The catalogue is whole: every language says all, every text is used, and none is too long."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import cast

import discord
import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from domains.policy import settings
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.explanation import Outlook
from domains.ticket_lifecycle.models import CloseCause, RequestStatus
from locales import DEFAULT_LOCALE, LOCALES, Text, Typed, is_known, supported, text
from tests.test_quality import ROOT

FOLDERS = ("cogs", "domains", "locales", "operations", "web")
OTHERS = [locale for locale in LOCALES if locale != DEFAULT_LOCALE]
COMBINED = {r"admission\.blocked_.+", r"outlook\..+_late"}
"""Keys that are put together out of more than one variable part."""
PLAIN_LIMIT = 1_500
"""Of one text: a message has 2,000 characters, and there are values to be filled in."""
DISCORD_LIMITS = {
    r"commands\..+": 100,
    r"policy\..+_explained": 100,
    r"policy\.[a-z_]+(?<!_explained)": 100,
    r".+_choice": 100,
    r"buttons\..+|.+_button": 80,
    r"panel\.(form_title|subject)": 45,
    r"ticket\.(close_form|ask_form|reason|delay)": 45,
    r"panel\.in_one_line|ticket\.(why_.+|delay_hint)": 100,
}
SAME_IN_GERMAN = {"", "Details", "Server", "Status", "Support", "Ticket", "Video"}
"""What may be the same in both languages: the letters outside of placeholders and code."""


# --- what there is


@cache
def messages(locale: str) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for path in sorted((ROOT / "locales" / locale).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if message.id:
                    key = message.id[0] if isinstance(message.id, tuple) else message.id
                    assert key not in found, f"{key} is there twice"
                    assert key.partition(".")[0] == path.stem, f"{key} is in {path.name}"
                    found[key] = message
    return found


def forms(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(said) if isinstance(said, (list, tuple)) else (str(said),)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("locale", OTHERS)
def test_each_language_has_all_texts_their_plurals_and_their_placeholders(locale: str) -> None:
    own, english = messages(locale), messages(DEFAULT_LOCALE)
    assert own.keys() ^ english.keys() == set()
    for key, message in english.items():
        translated = own[key]
        assert len(forms(translated)) == len(forms(message)), key
        assert all(forms(translated)), key
        assert not translated.fuzzy, key
        wanted = set[str]().union(*map(placeholders, forms(message)))
        for form in forms(translated):
            assert placeholders(form) <= wanted, key
        assert set[str]().union(*map(placeholders, forms(translated))) == wanted, key


def test_german_is_not_english() -> None:
    for key, message in messages("de").items():
        for form, english in zip(forms(message), forms(messages(DEFAULT_LOCALE)[key]), strict=True):
            rest = re.sub(r"{\w+}|`[^`]+`|\W", "", english)
            assert form != english or rest in SAME_IN_GERMAN, key


# --- what is used


@cache
def source() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def nodes() -> Iterator[ast.AST]:
    for tree in source().values():
        yield from ast.walk(tree)


@cache
def surfaces() -> set[str]:
    return {key.partition(".")[0] for key in messages(DEFAULT_LOCALE)}


def strings(node: ast.AST) -> Iterator[str]:
    """Whole ones: no pieces of an f-string, and no names of `described`."""
    if _is_call(node, "described"):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.JoinedStr) or not isinstance(child, ast.Constant):
            yield from strings(child)


def _is_call(node: ast.AST, name: str) -> bool:
    """Of `name(...)` or of `module.function(...)`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == name


def arguments(*names: str) -> Iterator[str]:
    """The strings that these functions are called with."""
    for node in nodes():
        if any(_is_call(node, name) for name in names):
            for argument in cast("ast.Call", node).args:
                yield from strings(argument)


@cache
def literal_keys() -> set[str]:
    """All that looks like a key of ours, and what `described` makes one of."""
    a_file = r"\w+(\.\w+)*\.(css|html|jinja)"
    key = re.compile(rf"(?!{a_file}$)(?:{'|'.join(surfaces())})\.[\w.-]+")
    said = {value for tree in source().values() for value in strings(tree) if key.fullmatch(value)}
    return said | {f"commands.{name}" for name in arguments("described")}


@cache
def patterns() -> set[str]:
    """Keys with a variable part, each as a regular expression."""
    found = set(COMBINED)
    for node in nodes():
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        pattern = "".join(map(_pattern, parts)) or _pattern_of_format(node)
        if pattern.partition("\\.")[0] in surfaces():
            found |= {pattern, f"{pattern}_by"}
    return found


def _pattern(part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return re.escape(part.value)
    return ".+"


def _pattern_of_format(node: ast.AST) -> str:
    """Of a string that `format` completes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value).replace(r"\{\}", ".+") if "{}" in node.value else ""
    return ""


def test_every_text_that_is_asked_for_is_there() -> None:
    assert {key for key in literal_keys() if not is_known(key)} == set()


def test_every_text_is_used() -> None:
    used = literal_keys()
    unused = {
        key
        for key in messages(DEFAULT_LOCALE).keys() - used
        if not any(re.fullmatch(pattern, key) for pattern in patterns())
        and not key.startswith(("events.", "causes.", "steps.", "timer_kinds.", "permissions."))
    }
    assert unused == set()


def events_in_code() -> set[str]:
    return set(arguments("events.add", "events.add_many"))


def permissions_in_code() -> set[str]:
    cogs = [tree for path, tree in source().items() if path.is_relative_to(ROOT / "cogs")]
    flags = discord.Permissions.VALID_FLAGS
    return {value for tree in cogs for value in strings(tree) if value in flags}


def dynamic_keys() -> set[str]:
    """Those that are put together, from all that their variable part can be."""
    over = {status for status in RequestStatus if status is not RequestStatus.PENDING}
    said_by_requests = {Outlook.CLOSED, Outlook.NEEDS_ATTENTION, Outlook.REQUEST_OVER}
    return {
        *(f"events.{name}" for name in events_in_code()),
        *(f"causes.{cause.value}" for cause in CloseCause),
        *(f"steps.{kind.value}" for kind in EffectKind),
        *(f"permissions.{name}" for name in permissions_in_code()),
        "permissions.manage_permissions",
        *(f"errors.request_{status.value}" for status in RequestStatus),
        *(f"outlook.request_{status.value}" for status in over),
        *(f"outlook.{outlook.value}" for outlook in Outlook if outlook not in said_by_requests),
        *(str(said.key) for each in settings() for said in (each.label, each.default_text)),
    }


def test_every_text_that_is_put_together_is_there() -> None:
    assert events_in_code() >= {"opened", "closed", "retried", "grace"}
    assert {key for key in dynamic_keys() if not is_known(key)} == set()


def test_every_refusal_is_a_text_of_the_catalogue() -> None:
    """Else nobody would be answered: an error's sentence is looked up only when it is told."""
    wrong = {
        f"{path.relative_to(ROOT)}: {argument.value}"
        for path, tree in source().items()
        for argument in _first_arguments(tree)
        if isinstance(argument, ast.Constant) and not is_known(str(argument.value))
    }
    assert wrong == set()


def _first_arguments(tree: ast.Module) -> Iterator[ast.expr]:
    """Of every refusal that is made here, and by the refusals' own classes."""
    keyed = {"UserError", "InvalidDelayError"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in keyed:
            yield node.args[0]
        if isinstance(node, ast.ClassDef) and keyed & {ast.unparse(base) for base in node.bases}:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "super().__init__":
                    yield from inner.args[:1]


SENTENCE = re.compile(r"[A-Za-z']{2,} [a-z']{2,}")
NOT_READ_ON_DISCORD = re.compile(r"log\..+|OutageLog|DownloadFailed|(?!UserError)\w+Error")
"""Calls whose strings go to the log, to the operator at the start, or into the details of errors
that people read by their codes."""


def test_no_sentence_stands_in_the_code_that_speaks_to_discord() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {sentence}"
        for path, tree in source().items()
        if path.is_relative_to(ROOT / "cogs")
        for sentence in _sentences(tree)
    ]
    assert found == []


def _sentences(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call() if NOT_READ_ON_DISCORD.fullmatch(ast.unparse(node.func)):
            return
        case ast.keyword(arg="reason"):
            return
        case ast.Constant(value=str(value)) if SENTENCE.search(value):
            if not value.startswith(("Punctual: ", "\n")):  # names of cogs, lists of words
                yield value
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from _sentences(child)


# --- what fits


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_is_longer_than_discord_takes(locale: str) -> None:
    for key, message in messages(locale).items():
        limit = min(
            (most for pattern, most in DISCORD_LIMITS.items() if re.fullmatch(pattern, key)),
            default=PLAIN_LIMIT,
        )
        for form in forms(message):
            assert len(form) <= limit, f"{key}: {len(form)}"


# --- how it reads


def test_a_locale_of_discords_is_read_in_the_language_there_is_for_it() -> None:
    assert [supported(name) for name in ("de", "en-GB", "en-US", "fr", None)] == [
        "de", "en", "en", "en", "en",
    ]  # fmt: skip


def test_plurals_durations_and_lists_are_in_the_readers_language() -> None:
    week = timedelta(days=7)
    assert text("errors.too_many_tickets", "de", count=1).startswith("Du hast hier schon 1 offenes")
    assert text("errors.too_many_tickets", "de", count=2).startswith("Du hast hier schon 2 offene ")
    assert "höchstens 7 Tage in" in text("errors.too_far", "de", most=week)
    names = ["#a", Text("privacy.more", {"number": 3})]
    assert "#a und 3 weitere" in text("privacy.kept_open", "de", names=names)
    assert "#a and 3 more" in text("privacy.kept_open", "en", names=names)


def test_what_somebody_typed_is_made_safe_however_deep_it_lies() -> None:
    inner = Text("reasons.as_said", {"text": Typed("*why*")})
    said = Text(
        "errors.cannot_ask", {"why": Text("reasons.keeps_failing", {"step": "x", "error": inner})}
    )
    assert "*why*" in str(said)
    assert str(said.with_typed(str.upper)).startswith(
        "I couldn't ask the member: x keeps failing: *WHY*"
    )
