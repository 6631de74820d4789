"""A dump is whole, can be read back, and its programs find the database wherever it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.postgres import variables
from tests.web.web_env import WebEnv

from .conftest import Typed


async def test_a_dump_of_the_running_bots_database_is_read_back_by_another_one(
    typed: Typed, web_env: WebEnv, tmp_path: Path
) -> None:
    ticket = await web_env.open()
    dump = tmp_path / "punctual.sql"
    assert (await typed("postgres", "pg_dump", "--no-owner", f"--file={dump}")).status == 0

    typed.settings |= {"DATABASE_URL": None, "DATA_DIR": str(tmp_path / "elsewhere")}
    strict = "--set=ON_ERROR_STOP=1"
    read = await typed("postgres", "psql", "--quiet", "-1", strict, f"--file={dump}")
    assert (read.status, read.err) == (0, "")
    found = await typed("postgres", "psql", "-Atc", "select id, subject from punctual.tickets")
    assert found.out == f"{ticket.id}|{ticket.subject}\n"


async def test_the_programs_own_exit_status_is_the_commands(typed: Typed, web_env: WebEnv) -> None:
    failed = await typed("postgres", "psql", "-c", "select nonsense")
    assert failed.status == 1
    assert "nonsense" in failed.err


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://bot:a%2Fb@db.example:5433/name?sslmode=require&connect_timeout=3",
            {
                "PGHOST": "db.example",
                "PGPORT": "5433",
                "PGUSER": "bot",
                "PGPASSWORD": "a/b",
                "PGDATABASE": "name",
                "PGSSLMODE": "require",
                "PGCONNECT_TIMEOUT": "3",
            },
        ),
        (
            "postgresql://punctual@/punctual?host=/run/postgresql",
            {"PGHOST": "/run/postgresql", "PGUSER": "punctual", "PGDATABASE": "punctual"},
        ),
    ],
)
def test_all_that_a_url_says_is_passed_on(url: str, expected: dict[str, str]) -> None:
    assert variables(url) == expected
