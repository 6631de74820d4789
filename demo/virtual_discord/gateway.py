"""Discord's gateway: sessions that outlive their sockets, so that a bot can resume them."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import discord
from aiohttp import WSMsgType, web
from simcord import intents as intents_
from simcord.backend import Backend, serializers

from demo.virtual_discord.changes import ChangeSignal

HEARTBEAT_INTERVAL_MS = 41_250
REPLAY_LIMIT = 2_000
ACK_DELAY_S = 0.05
"""discord.py takes an answer that comes sooner than it looks at its clock for a very late one."""
KEPT_SESSIONS = 4
"""Of bots that were killed, and may never come back."""
CLOSE_TIMEOUT_S = 0.5
CLOSED_ON_PURPOSE = (1000, 1001)

Payload = Mapping[str, Any]


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


AUTHENTICATION_FAILED = 4004


@dataclass(eq=False, slots=True)
class Connection:
    """One socket. Frames are queued, so that what changes the state never waits for the bot."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    session: Session | None = None
    frames: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])

    def send(self, op: Op, data: object = None) -> None:
        self.frames.put_nowait(json.dumps({"op": op, "d": data}))

    async def write_frames(self) -> None:
        # A socket that broke is noticed by its reader; here there is nothing left to do.
        with contextlib.suppress(ConnectionError):
            while True:
                await self.socket.send_str(await self.frames.get())

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


@dataclass(eq=False, slots=True)
class Session:
    id: str
    intents: discord.Intents
    connection: Connection | None = None
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(
        default_factory=lambda: deque[tuple[int, str]](maxlen=REPLAY_LIMIT)
    )

    def dispatch(self, event: str, data: Payload) -> None:
        self.sequence += 1
        frame = json.dumps({"op": Op.DISPATCH, "t": event, "s": self.sequence, "d": data})
        self.sent.append((self.sequence, frame))
        if self.connection is not None:
            self.connection.frames.put_nowait(frame)

    def can_replay_from(self, sequence: int) -> bool:
        return sequence == self.sequence or any(number == sequence + 1 for number, _ in self.sent)

    def resume_on(self, connection: Connection, sequence: int) -> None:
        for number, frame in self.sent:
            if number > sequence:
                connection.frames.put_nowait(frame)
        self.connection = connection
        self.dispatch("RESUMED", {})


class Gateway:
    def __init__(self, backend: Backend, token: str, changes: ChangeSignal) -> None:
        self.url = ""
        self.is_cut = False
        self.ready_count = 0
        """How often a bot was told READY, or took up its session again."""
        self._backend = backend
        self._token = token
        self._changes = changes
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        backend.subscribers.append(self._dispatch)

    @property
    def connected(self) -> bool:
        """A bot is there, and has been told of its servers."""
        return any(connection.session is not None for connection in self._connections)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.is_cut:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(timeout=CLOSE_TIMEOUT_S, max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request.transport)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write_frames())
        try:
            connection.send(Op.HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(connection, json.loads(frame.data))
        finally:
            writer.cancel()
            self._disconnected(connection)
        return socket

    def drop(self) -> None:
        """Cut every connection as a lost network does: without the closing handshake."""
        for connection in list(self._connections):
            _detach(connection)
            connection.abort()
        self._changes.notify()

    async def _receive(self, connection: Connection, frame: Payload) -> None:
        match frame["op"]:
            case Op.HEARTBEAT:
                loop = asyncio.get_running_loop()
                loop.call_later(ACK_DELAY_S, connection.send, Op.HEARTBEAT_ACK)
            case Op.IDENTIFY:
                await self._identify(connection, frame["d"])
            case Op.RESUME:
                self._resume(connection, frame["d"])
            case Op.REQUEST_MEMBERS if connection.session is not None:
                self._send_members(connection.session, frame["d"])
            case _:
                pass  # a presence, which nobody here sees

    async def _identify(self, connection: Connection, data: Payload) -> None:
        if not secrets.compare_digest(str(data["token"]).encode(), self._token.encode()):
            await connection.socket.close(code=AUTHENTICATION_FAILED)
            return
        self._delete_old_sessions()
        intents = discord.Intents._from_value(data["intents"])  # pyright: ignore[reportPrivateUsage]
        session = Session(secrets.token_hex(16), intents, connection)
        self._sessions[session.id] = session
        guilds = list(self._backend.guilds.values())
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": serializers.user_payload(self._backend.bot_user),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": data.get("shard", [0, 1]),
                "application": {"id": str(self._backend.application_id), "flags": 0},
            },
        )
        for guild in guilds:
            self._send(
                session, "GUILD_CREATE", serializers.guild_create_payload(self._backend, guild)
            )
        self._attach(connection, session)

    def _resume(self, connection: Connection, data: Payload) -> None:
        session = self._sessions.get(data["session_id"])
        sequence: int = data["seq"] or 0
        if session is None or not session.can_replay_from(sequence):
            connection.send(Op.INVALID_SESSION, data=False)
            return
        session.resume_on(connection, sequence)
        self._attach(connection, session)

    def _attach(self, connection: Connection, session: Session) -> None:
        connection.session = session
        session.connection = connection
        self.ready_count += 1
        self._changes.notify()

    def _dispatch(self, event: str, data: Payload) -> None:
        for session in self._sessions.values():
            self._send(session, event, data)
        self._changes.notify()

    def _send(self, session: Session, event: str, data: Payload) -> None:
        """What the intents let a bot see, as simcord's own gateway has it."""
        needed = intents_.required_intent(event, data)
        if needed is not None and not getattr(session.intents, needed):
            return
        seen = copy.deepcopy(dict(data))
        bot_id = self._backend.bot_user.id
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not session.intents.message_content:
            intents_.censor_message(seen, bot_id, backend=self._backend)
        if event == "GUILD_CREATE":
            intents_.prune_guild_create(seen, session.intents, bot_id)
        session.dispatch(event, seen)

    def _send_members(self, session: Session, query: Payload) -> None:
        guild = self._backend.guilds.get(int(query["guild_id"]))
        if guild is None:
            return
        wanted = {int(each) for each in query.get("user_ids") or ()}
        prefix = str(query.get("query") or "").lower()
        found = [
            member
            for member in guild.members.values()
            if (
                member.user_id in wanted
                if wanted
                else self._backend.users[member.user_id].name.lower().startswith(prefix)
            )
        ]
        session.dispatch(
            "GUILD_MEMBERS_CHUNK",
            {
                "guild_id": str(guild.id),
                "members": [
                    serializers.member_payload(self._backend, guild, member) for member in found
                ],
                "chunk_index": 0,
                "chunk_count": 1,
                "not_found": [str(each) for each in wanted - guild.members.keys()],
                "nonce": query.get("nonce"),
            },
        )

    def _delete_old_sessions(self) -> None:
        abandoned = [each.id for each in self._sessions.values() if each.connection is None]
        for session_id in abandoned[:-KEPT_SESSIONS]:
            del self._sessions[session_id]

    def _disconnected(self, connection: Connection) -> None:
        session = connection.session
        self._connections.discard(connection)
        _detach(connection)
        # Any other end is an accident, after which the bot may come back for what it missed.
        if session is not None and connection.socket.close_code in CLOSED_ON_PURPOSE:
            self._sessions.pop(session.id, None)
        self._changes.notify()


def _detach(connection: Connection) -> None:
    if connection.session is not None and connection.session.connection is connection:
        connection.session.connection = None
    connection.session = None
