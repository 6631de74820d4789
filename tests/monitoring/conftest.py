"""The offices of the dashboard's tests."""

from tests.web.conftest import (
    busy_web_env,
    database_url,
    ends_soon,
    web_env,
    web_env_without_redis,
)

__all__ = ["busy_web_env", "database_url", "ends_soon", "web_env", "web_env_without_redis"]
