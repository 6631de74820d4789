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
from web.job_pages import JobPages
from web.page_maker import NotFoundError, PageMaker
from web.pages import Pages
from web.retry_pages import RetryPages
from web.running import Running
from web.ticket_pages import TicketPages
from web.transcript_pages import TranscriptPages

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 16_384


def dashboard(dependencies: Dependencies) -> web.Application:
    maker, running = PageMaker(dependencies), Running()
    pages, job_pages = Pages(dependencies, maker), JobPages(dependencies, maker)
    ticket_pages, transcripts = TicketPages(dependencies, maker), TranscriptPages(dependencies)
    actions = Actions(dependencies, running)
    retries = RetryPages(dependencies, maker, running)
    application = web.Application(
        middlewares=[dependencies.guard.middleware, _answering_errors(maker)],
        client_max_size=LARGEST_FORM,
    )
    ticket = r"/tickets/{ticket_id:\d{1,18}}"
    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/", pages.overview),
        ("GET", "/trends", pages.trends),
        ("GET", "/deadlines", pages.deadlines),
        ("GET", "/search", pages.search),
        ("GET", "/jobs/{state}", job_pages.jobs),
        ("GET", "/job", job_pages.job),
        ("POST", "/job", actions.act_on_job),
        ("GET", "/retry", retries.confirm),
        ("POST", "/retry", retries.retry),
        ("GET", "/tickets", ticket_pages.tickets),
        ("GET", "/tickets/attention", ticket_pages.attention),
        ("GET", ticket, ticket_pages.ticket),
        ("GET", f"{ticket}/transcript/", transcripts.page),
        ("GET", f"{ticket}/transcript/attachments/{{name}}", transcripts.attachment),
        ("GET", f"{ticket}/{{action}}", ticket_pages.confirm),
        ("POST", f"{ticket}/{{action}}", actions.act_on_ticket),
    ]
    for method, path, handler in routes:
        application.router.add_route(method, path, handler, expect_handler=_expect_nothing)
    application.router.add_static("/static", STATIC, expect_handler=_expect_nothing)
    # The last one takes all paths that are left, also those with a line break, to the guard.
    application.router.add_route("*", "/{rest:(?s:.*)}", _nothing, expect_handler=_expect_nothing)
    application.on_response_prepare.append(dependencies.guard.add_security_headers)
    application.on_shutdown.append(running.end)
    return application


async def _expect_nothing(_request: web.Request) -> None:
    """aiohttp would answer `Expect: 100-continue` before anybody has asked for the password."""


async def _nothing(_request: web.Request) -> web.StreamResponse:
    raise NotFoundError("such page")


def _answering_errors(maker: PageMaker) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UserError as error:
            return await problem(request, str(error), _status_of(error))
        except web.HTTPException:
            raise
        except DatabaseUnavailable:
            return await problem(request, str(PostgreSQLAwayError()), 503)
        except Exception:
            log.exception("The dashboard failed to answer %s", request.path)
            return await problem(request, "That failed; the bot's log says why.", 500)

    async def problem(request: web.Request, text: str, status: int) -> web.Response:
        return await maker.page("problem", request, status=status, problem=text)

    return answer


def _status_of(error: UserError) -> int:
    if isinstance(error, (RedisAwayError, PostgreSQLAwayError)):
        return 503
    return 404 if isinstance(error, (NotFoundError, UnknownJobError)) else 409
