"""The buttons. Each carries in its custom_id what it is about, so it works after any restart and
an old message cannot act on a new request."""

from __future__ import annotations

from cogs.buttons.close_request import AcceptButton, DenyButton, ExtendButton
from cogs.buttons.id_button import IdButton
from cogs.buttons.open_another import OpenAnotherButton
from cogs.buttons.retry import RetryButton
from cogs.buttons.ticket import (
    AskButton,
    CloseButton,
    CloseNowButton,
    CloseWithReasonButton,
    InfoButton,
)
from cogs.buttons.timers import (
    CancelTimerButton,
    DetailsButton,
    ExtendTimerButton,
    PageButton,
    RetryTimerButton,
)

BUTTONS: tuple[type[IdButton], ...] = (
    AcceptButton,
    DenyButton,
    ExtendButton,
    CloseButton,
    CloseNowButton,
    CloseWithReasonButton,
    AskButton,
    InfoButton,
    OpenAnotherButton,
    RetryButton,
    PageButton,
    DetailsButton,
    ExtendTimerButton,
    CancelTimerButton,
    RetryTimerButton,
)

__all__ = ["BUTTONS", "IdButton"]
