"""What stands in the files that start the bot, and in the pages about them."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import yaml

from domains.scheduled_task.scheduled_task import GRACE
from domains.settings import Settings
from tests.tools.pages import blocks_of

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read_string(read("deploy/punctual.service"))
    return parser


def service() -> dict[str, Any]:
    return yaml.safe_load(read("compose.yml"))["services"]["punctual"]


def test_in_a_container_the_data_is_in_the_volume_whatever_the_example_says() -> None:
    assert service()["environment"]["DATA_DIR"] == "/data"
    assert service()["volumes"] == ["data:/data"]
    dockerfile = read("deploy/Dockerfile")
    assert "ENV DATA_DIR=/data" in dockerfile
    assert "VOLUME /data" in dockerfile
    # `docker run --env-file .env` comes before ENV, and the example is taken as it is.
    assert str(Settings.model_fields["data_dir"].default) == ".data"
    assert "ln -s /data .data" in dockerfile


def test_whoever_stops_it_waits_for_running_closes_and_the_servers() -> None:
    assert GRACE.total_seconds() == 20
    assert service()["stop_grace_period"] == "60s"
    assert unit()["Service"]["TimeoutStopSec"] == "60"


def test_it_is_started_again_but_not_with_a_wrong_setting() -> None:
    assert service()["restart"] == "unless-stopped"
    assert unit()["Service"]["Restart"] == "always"
    assert unit()["Service"]["RestartPreventExitStatus"] == "2"
    assert unit()["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_container_is_asked_for_its_health_by_a_command_of_the_bot() -> None:
    [command] = re.findall(r"HEALTHCHECK .*?CMD (\[.+?\])", read("deploy/Dockerfile"), re.DOTALL)
    assert command == '["python", "bot.py", "health"]'


def test_no_port_of_the_container_is_open_to_others() -> None:
    assert all(port.startswith("127.0.0.1:") for port in service()["ports"])


def test_nothing_private_gets_into_the_image() -> None:
    assert {".git", ".env", ".data", ".venv"} <= set(read(".dockerignore").split())


def test_what_is_installed_is_what_was_tested() -> None:
    for name in ("deploy/Dockerfile", "docs/operations.md", "README.md"):
        assert "--require-hashes -r requirements.lock" in read(name), name


def test_each_alert_is_explained() -> None:
    rules = yaml.safe_load(read("docs/alerts.yml"))["groups"][0]["rules"]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", OPERATIONS.read_text(encoding="utf-8"), re.M)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]


def test_the_pages_commands_are_run_or_it_is_said_why_not() -> None:
    blocks = blocks_of(OPERATIONS)
    assert len(blocks) == OPERATIONS.read_text(encoding="utf-8").count("```sh\n")
    assert {block.section for block in blocks if not block.is_run} == {"Docker"}
    assert {block.section for block in blocks if block.is_run} >= {"Back up", "Restore", "Upgrade"}


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"\n## {version}\n" in read("CHANGELOG.md")


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
