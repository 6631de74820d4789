"""The dashboard as an application: which page is where, and the checks before it."""

from __future__ import annotations

import logging
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from domains.database import DatabaseUnavailable
from domains.errors import UserError
from domains.monitoring.monitor import PostgreSQLAwayError
from domains.scheduled_task.inspection import RedisAwayError, UnknownJobError
from web.actions import Actions
from web.dependencies import Dependencies
from web.pages import NotFoundError, Pages

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 16_384


def dashboard(dependencies: Dependencies) -> web.Application:
    pages, actions = Pages(dependencies), Actions(dependencies)
    application = web.Application(
        middlewares=[dependencies.guard.middleware, _answering_errors(dependencies)],
        client_max_size=LARGEST_FORM,
    )
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/", pages.overview),
        ("GET", "/deadlines", pages.deadlines),
        ("GET", "/jobs/{state}", pages.jobs),
        ("GET", "/job", pages.job),
        ("POST", "/job", actions.act_on_job),
        ("GET", "/tickets/attention", pages.attention),
        ("GET", r"/tickets/{ticket_id:\d{1,18}}", pages.ticket),
        ("POST", r"/tickets/{ticket_id:\d{1,18}}/retry", actions.retry_ticket),
        ("GET", "/search", pages.search),
    ]
    for method, path, handler in routes:
        application.router.add_route(method, path, handler, expect_handler=_expect_nothing)
    application.router.add_static("/static", STATIC, expect_handler=_expect_nothing)
    # The last one takes all paths that are left, also those with a line break, to the guard.
    application.router.add_route("*", "/{rest:(?s:.*)}", _nothing, expect_handler=_expect_nothing)
    application.on_response_prepare.append(dependencies.guard.add_security_headers)
    application.on_shutdown.append(actions.end)
    return application


async def _expect_nothing(_request: web.Request) -> None:
    """aiohttp would answer `Expect: 100-continue` before anybody has asked for the password."""


async def _nothing(_request: web.Request) -> web.StreamResponse:
    raise NotFoundError("such page")


def _answering_errors(dependencies: Dependencies) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UserError as error:
            return problem(request, str(error), _status_of(error))
        except web.HTTPException:
            raise
        except DatabaseUnavailable:
            return problem(request, str(PostgreSQLAwayError()), 503)
        except Exception:
            log.exception("The dashboard failed to answer %s", request.path)
            return problem(request, "That failed; the bot's log says why.", 500)

    def problem(request: web.Request, text: str, status: int) -> web.Response:
        notice = dependencies.notices.take(request.query.get("said", ""))
        return dependencies.renderer.page(
            "problem", {"problem": text, "notice": notice}, status=status
        )

    return answer


def _status_of(error: UserError) -> int:
    if isinstance(error, (RedisAwayError, PostgreSQLAwayError)):
        return 503
    return 404 if isinstance(error, (NotFoundError, UnknownJobError)) else 409
