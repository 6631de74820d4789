"""What can go wrong between a bot and Discord, on demand: errors, rate limits, silence, lost
answers; and callbacks at the very instant before or after a request took effect.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from .call import Call


class Fate(Enum):
    LOST = auto()


# Returned by a callback: the connection is closed without an answer. Before the request took
# effect, it is as if it had never arrived; after it, the bot cannot know that it did.
LOST = Fate.LOST

# Its result may be LOST or an awaitable of it; anything else means "go on".
Callback = Callable[[Call], object]


class Moment(Enum):
    BEFORE = auto()
    AFTER = auto()


@dataclass(eq=False)
class Rule:
    """Matches `times` requests, None being all of them, and counts those it met in `met`."""

    method: str
    path_pattern: str
    times: int | None
    met: int = 0

    def __post_init__(self) -> None:
        self._path = compile_path(self.path_pattern)

    def claims(self, call: Call) -> bool:
        if self.exhausted or not matches(call, self.method, self._path):
            return False
        self.met += 1
        return True

    @property
    def exhausted(self) -> bool:
        return self.times is not None and self.met >= self.times

    def remove(self) -> None:
        self.times = self.met


@dataclass(eq=False, kw_only=True)
class Fault(Rule):
    """With a `status` or `lost`, the request has no effect; with `hang` alone it is only slow."""

    status: int | None = None
    code: int = 0
    message: str | None = None
    retry_after: float = 0.1
    is_global: bool = False
    hang: float = 0.0
    lost: bool = False
    after: Callback | None = None


@dataclass(eq=False, kw_only=True)
class Hook(Rule):
    callback: Callback
    moment: Moment


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._hooks: list[Hook] = []

    def add(
        self,
        method: str,
        path_pattern: str,
        *,
        status: int | None = None,
        code: int = 0,
        message: str | None = None,
        times: int | None = 1,
        retry_after: float = 0.1,
        is_global: bool = False,
        hang: float = 0.0,
        lost: bool = False,
        after: Callback | None = None,
    ) -> Fault:
        """The next `times` matching requests go wrong; the first rule added is used first.

        In a pattern `*` is one segment of a path and `**` any number; the method `*` is any.
        `hang` seconds pass first (math.inf: no answer, ever). `after` is called when the fault
        has happened, just before the bot is answered.
        """
        fault = Fault(
            method,
            path_pattern,
            times,
            status=status,
            code=code,
            message=message,
            retry_after=retry_after,
            is_global=is_global,
            hang=hang,
            lost=lost,
            after=after,
        )
        self._faults.append(fault)
        return fault

    def add_hook(self, hook: Hook) -> Hook:
        self._hooks.append(hook)
        return hook

    def clear(self) -> None:
        self._faults.clear()
        self._hooks.clear()

    def claim(self, call: Call) -> Fault | None:
        return next((fault for fault in self._faults if fault.claims(call)), None)

    async def run_hooks(self, moment: Moment, call: Call) -> bool:
        """Whether one of them lost the request."""
        due = [hook for hook in self._hooks if hook.moment is moment and hook.claims(call)]
        return any([await run(hook.callback, call) for hook in due])


async def run(callback: Callback, call: Call) -> bool:
    result = callback(call)
    if inspect.isawaitable(result):
        result = await result
    return result is LOST


def compile_path(pattern: str) -> re.Pattern[str]:
    """`/channels/*/messages` or `/channels/{channel_id}/messages`; `**` also spans slashes."""
    return re.compile("".join(_regex(part) for part in re.split(r"(\*+|\{\w+\})", pattern)))


def _regex(part: str) -> str:
    if part == "**":
        return ".*"
    return "[^/]+" if part == "*" or part.startswith("{") else re.escape(part)


def matches(call: Call, method: str, path: re.Pattern[str]) -> bool:
    return method in ("*", call.method) and path.fullmatch(call.path) is not None
