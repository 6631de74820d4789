"""The demo's one page: who you are, Discord as that person sees it, and what is true meanwhile."""

from __future__ import annotations

from demo.page.server import page_served, wanted_port

__all__ = ["page_served", "wanted_port"]
