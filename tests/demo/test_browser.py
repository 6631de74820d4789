"""When the page is opened: never where nobody sits in front of it."""

from __future__ import annotations

import pytest

from demo.browser import has_desktop, open_page

SCREEN = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("environment", "platform"), [(SCREEN, "linux"), ({}, "darwin"), ({"CI": ""}, "darwin")]
)
def test_it_is_opened_from_a_terminal_with_a_screen(
    environment: dict[str, str], platform: str
) -> None:
    assert has_desktop(environment, platform, is_terminal=True)
    assert not has_desktop(environment, platform, is_terminal=False)


@pytest.mark.parametrize(
    "environment",
    [{}, SCREEN | {"CI": "true"}, SCREEN | {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}],
)
def test_it_is_not_where_nobody_sees_it(environment: dict[str, str]) -> None:
    assert not has_desktop(environment, "linux", is_terminal=True)


async def test_a_browser_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str) -> bool:
        raise OSError(url)

    monkeypatch.setattr("webbrowser.open", fail)
    await open_page("http://127.0.0.1:1/")
