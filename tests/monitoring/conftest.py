"""The offices of the dashboard's tests."""

from tests.web.conftest import busy_office, ends_soon, office, office_without_redis

__all__ = ["busy_office", "ends_soon", "office", "office_without_redis"]
