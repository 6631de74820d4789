"""Who it is that tries a password, so that a stranger's guesses cost only himself.

- A browser that has once shown the password carries a signed cookie and counts as itself, whatever
  others guess at its address (OWASP: "device cookies"). The cookie opens nothing.
- Anybody else is the address; of IPv6 the network of a subscriber.
- A proxy on this machine says whose address it is. As not every proxy can be believed, all that
  come by way of one may be wrong together only a few times a second.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets

from aiohttp import hdrs, web

from domains.addresses import is_loopback, subscriber
from web.login_throttle import LoginThrottle

DEVICE_COOKIE = "punctual-device"
DEVICE_COOKIE_LASTS_S = 365 * 24 * 3600
MAX_DELAY_OF_A_PROXY_S = 0.2


class Guessers:
    def __init__(self, credentials: bytes) -> None:
        """The cookies of earlier credentials are worth nothing."""
        self._key = hashlib.sha256(b"device cookie" + credentials).digest()
        self._throttle = LoginThrottle()
        self._proxies = LoginThrottle(max_delay_s=MAX_DELAY_OF_A_PROXY_S)

    def wait_s(self, request: web.BaseRequest) -> int:
        """For so many seconds no password is looked at; 0 is not at all."""
        who, proxy = self._who(request)
        waits = [self._throttle.wait_s(who)]
        if proxy is not None:
            waits.append(self._proxies.wait_s(proxy))
        return math.ceil(max(waits))

    def failed(self, request: web.BaseRequest) -> None:
        who, proxy = self._who(request)
        self._throttle.failed(who)
        if proxy is not None:
            self._proxies.failed(proxy)

    def remember(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """The password was right: from now on this browser counts as itself."""
        if self._device(request) is None:
            name = secrets.token_hex(16)
            # As a header: aiohttp has written its cookies when it shows us the answer.
            response.headers.add(
                hdrs.SET_COOKIE,
                f"{DEVICE_COOKIE}={name}.{self._signature(name)}; Path=/; HttpOnly; "
                f"SameSite=Strict; Max-Age={DEVICE_COOKIE_LASTS_S}",
            )

    def _who(self, request: web.BaseRequest) -> tuple[str, str | None]:
        """And the proxy that says so, if it is one."""
        if (device := self._device(request)) is not None:
            return f"device {device}", None
        forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, [""])
        return client_of(request.remote or "", forwarded[-1])

    def _device(self, request: web.BaseRequest) -> str | None:
        name, _, signature = request.cookies.get(DEVICE_COOKIE, "").partition(".")
        expected = self._signature(name)
        return name if hmac.compare_digest(_bytes(signature), _bytes(expected)) else None

    def _signature(self, name: str) -> str:
        return hmac.new(self._key, _bytes(name), hashlib.sha256).hexdigest()


def client_of(peer: str, forwarded_for: str) -> tuple[str, str | None]:
    """Whose connection it is, and the proxy that says so, if one on this machine does. Each proxy
    adds whom it had before it; what the last one added is the nearest to us."""
    if is_loopback(peer):
        client = subscriber(forwarded_for.rpartition(",")[2].strip())
        if client is not None:
            return client, peer
    return subscriber(peer) or peer, None


def _bytes(text: str) -> bytes:
    """Of what came in a header, which need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape")
