"""What the bot may send, as the page draws it."""

from __future__ import annotations

import json

import pytest
from simcord.backend import Backend

from demo.guild import DemoGuild, build_guild
from demo.page.conversation import conversation
from demo.page.rendering import Templates
from demo.virtual_discord.backend import VirtualBackend
from demo.words import Words

LAYOUT = [
    {
        "type": 17,
        "accent_color": 0x5865F2,
        "components": [
            {"type": 10, "content": "## Card\n**bold** <@{casey}> <t:0:R>\n-# small"},
            {"type": 14, "divider": True, "spacing": 2},
            {
                "type": 9,
                "components": [{"type": 10, "content": "beside it"}],
                "accessory": {"type": 2, "style": 2, "label": "Press", "custom_id": "side"},
            },
            {"type": 13, "file": {"url": "attachment://page.html"}},
            {"type": 12, "items": [{"media": {"url": "attachment://map.png"}}]},
            {
                "type": 1,
                "components": [
                    {"type": 2, "style": 1, "label": "Go", "custom_id": "go", "disabled": True},
                    {"type": 2, "style": 5, "label": "Web", "url": "https://example.org/"},
                ],
            },
            {
                "type": 1,
                "components": [
                    {
                        "type": 3,
                        "custom_id": "pick",
                        "placeholder": "Which?",
                        "options": [{"label": "One", "value": "1"}],
                    }
                ],
            },
        ],
    }
]


@pytest.fixture
def backend() -> Backend:
    backend = VirtualBackend()
    backend.files.origin = "http://127.0.0.1:1"
    return backend


@pytest.fixture
def guild(backend: Backend) -> DemoGuild:
    return build_guild(backend)


def drawn(guild: DemoGuild) -> str:
    person = guild.person("casey")
    context: dict[str, object] = {
        "t": Words("en"),
        "person": person,
        "people": guild.people,
        "roles": [],
        "channels": [],
        "names": guild.names(),
        "messages": conversation(guild, person, guild.welcome_id),
    }
    return str(Templates().render("messages", context))


def test_components_of_all_kinds_are_drawn(backend: Backend, guild: DemoGuild) -> None:
    casey = guild.person("casey").id
    files = [
        backend.cdn.store_attachment(index, guild.welcome_id, name, b"x", None)
        for index, name in enumerate(("page.html", "map.png"), start=10)
    ]
    text = json.dumps(LAYOUT).replace("{casey}", str(casey))
    for file in files:
        text = text.replace(f"attachment://{file['filename']}", file["url"])
    backend.create_message(
        guild.welcome_id,
        backend.bot_user.id,
        components=json.loads(text),
        attachments=files,
        flags=1 << 15,
    )
    html = drawn(guild)
    assert '<p class="said-h2">Card</p>' in html
    assert '<bdi class="mention">@casey</bdi>' in html
    assert 'data-epoch="0" data-style="R"' in html
    assert '<div class="subtext"><p>small</p>' in html
    assert 'fill="#5865f2"' in html
    assert 'data-press="side"' in html
    assert html.count("/page.html") == 1, "a file that a component shows isn't shown twice"
    assert '<img src="/files/' in html
    assert 'data-press="go"' in html
    assert "disabled>Go" in html
    assert 'href="https://example.org/"' in html
    assert '<option value="1">One</option>' in html


def test_an_embed_is_drawn_and_nothing_in_it_acts(backend: Backend, guild: DemoGuild) -> None:
    embed = {
        "title": "<script>alert(1)</script>",
        "description": "[x](javascript:alert(1)) **b**",
        "color": 0xFF0000,
        "fields": [{"name": "n", "value": "v", "inline": True}],
        "image": {"url": "https://evil.example/pixel.png"},
    }
    backend.create_message(guild.welcome_id, backend.bot_user.id, embeds=[embed])
    html = drawn(guild)
    assert "<script" not in html
    assert "href=" not in html
    assert "evil.example" not in html
    assert "<strong>b</strong>" in html
    assert 'fill="#ff0000"' in html
