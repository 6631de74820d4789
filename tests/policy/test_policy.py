"""The model of what a server can set, and how it is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domains.database import Database
from domains.policy import Policy, Setting, settings, stored
from domains.settings import Settings
from domains.ticket_lifecycle.store import guilds
from locales import LOCALES

FULL = Policy(
    max_open_total=50,
    max_open_per_member=3,
    cooldown=timedelta(minutes=5),
    required_roles=(2**62, 7),
    forbidden_roles=(),
    min_account_age=timedelta(days=7),
    min_membership=timedelta(hours=1),
)


def test_every_field_is_optional_and_says_what_it_is_in_one_line() -> None:
    assert Policy().model_dump(exclude_none=True) == {}
    for each in settings():
        assert each.most is not None
        for locale in LOCALES:
            explanation = each.explanation.in_locale(locale)
            assert explanation[:1].isupper()
            assert "\n" not in explanation
            assert each.label.in_locale(locale)
            assert each.default_text.in_locale(locale)


def test_a_default_that_is_the_operators_names_a_setting() -> None:
    named = {each.name: each.default for each in settings() if each.default.isupper()}
    assert named == {"max_open_per_member": "MAX_OPEN_TICKETS", "cooldown": "OPEN_COOLDOWN"}
    assert {default.lower() for default in named.values()} <= Settings.model_fields.keys()


@pytest.mark.parametrize("each", settings(), ids=lambda each: each.name)
def test_the_bounds_that_are_told_are_those_that_hold(each: Setting) -> None:
    if each.unit == "roles":
        assert isinstance(each.most, int)
        inside, outside = [range(1, each.most + 1)], [range(1, each.most + 2), [0]]
    else:
        step: Any = timedelta(seconds=1) if each.unit == "duration" else 1
        inside = [each.least, each.most]
        outside = [each.least - step, each.most + step]
    for value in inside:
        assert getattr(Policy.model_validate({each.name: value}), each.name) is not None
    for value in outside:
        with pytest.raises(ValidationError):
            Policy.model_validate({each.name: value})


def test_what_a_server_has_set_comes_before_the_default() -> None:
    defaults = Policy(cooldown=timedelta(seconds=30), max_open_per_member=5)
    assert Policy().over(defaults) == defaults
    assert FULL.over(defaults) == FULL
    assert Policy(cooldown=timedelta(0)).over(defaults).cooldown == timedelta(0)


def test_a_policy_comes_back_as_it_was_written() -> None:
    text, unset = stored.write(FULL.model_dump())
    assert stored.read(text) == FULL
    assert unset == []
    assert json.loads(text)["cooldown"] == 300, "seconds"


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_open_total": 0},
        {"max_open_total": "many"},
        {"cooldown": -1},
        {"cooldown": {"a": 1}},
        {"required_roles": "all"},
        {"required_roles": [0]},
        {"min_account_age": 1e99},
    ],
    ids=str,
)
def test_a_value_that_cannot_be_used_counts_as_not_set_and_the_others_hold(
    wrong: dict[str, object],
) -> None:
    kept = {"max_open_per_member": 3, "of_a_newer_version": True}
    assert stored.read(json.dumps(kept | wrong)) == Policy(max_open_per_member=3)


def test_what_cannot_be_used_is_not_written() -> None:
    with pytest.raises(ValidationError):
        stored.write({"cooldown": timedelta(days=31)})


async def test_only_what_is_named_is_changed_and_what_a_newer_version_set_stays(
    database: Database,
) -> None:
    await database.pool.execute(
        """insert into punctual.guild_settings (guild_id, policy)
           values (1, '{"of_a_newer_version": [1], "max_open_total": 9, "cooldown": 60}')"""
    )
    async with database.transaction() as transaction:
        changes = {"cooldown": None, "max_open_per_member": 2}
        guild = await guilds.change_policy(transaction.connection, 1, *stored.write(changes))
    assert guild.policy == Policy(max_open_total=9, max_open_per_member=2)
    row = await database.pool.fetchval("select policy from punctual.guild_settings")
    assert json.loads(row) == {
        "of_a_newer_version": [1],
        "max_open_total": 9,
        "max_open_per_member": 2,
    }
