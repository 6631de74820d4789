"""Discord's gateway: sessions that outlive their sockets, so that a bot can resume them."""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from . import payloads
from .json_types import JsonObject
from .state import TOKEN, World

HEARTBEAT_INTERVAL_MS = 41_250
REPLAY_LIMIT = 2_000
KEPT_SESSIONS = 8  # of bots that were killed, and may never come back
CLOSE_SECONDS = 0.5
MESSAGE_CONTENT_INTENT = 1 << 15


class Op:
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode:
    AUTHENTICATION_FAILED = 4004
    DISALLOWED_INTENTS = 4014


@dataclass(eq=False)
class Connection:
    """One socket. Frames are queued, so that what changes the state never waits for the bot."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    audible: asyncio.Event
    session: "Session | None" = None
    frames: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])

    def send(self, op: int, data: object = None) -> None:
        self.frames.put_nowait(json.dumps({"op": op, "d": data}))

    async def write_frames(self) -> None:
        # A socket that broke is noticed by its reader; here there is nothing left to do.
        with contextlib.suppress(ConnectionError):
            while True:
                frame = await self.frames.get()
                await self.audible.wait()
                await self.socket.send_str(frame)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


@dataclass(eq=False)
class Session:
    id: str
    intents: int
    connection: Connection | None = None
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(
        default_factory=lambda: deque[tuple[int, str]](maxlen=REPLAY_LIMIT)
    )

    def dispatch(self, event: str, data: JsonObject) -> None:
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

    @property
    def sees_content(self) -> bool:
        return bool(self.intents & MESSAGE_CONTENT_INTENT)


class Gateway:
    def __init__(self, world: World) -> None:
        self.url = ""
        self.available = True  # False: connections are refused with 503, as in an outage
        self.disallowed_intents = 0  # bits not switched on in the developer portal
        self.identified = 0
        self.heartbeats = 0
        self.resumed = 0
        self._world = world
        self._audible = asyncio.Event()
        self._audible.set()
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        world.subscribe(self._dispatch)

    @property
    def connected(self) -> bool:
        """A bot is there, and has been told of its guilds."""
        return any(connection.session is not None for connection in self._connections)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self.available:
            return web.Response(status=503)
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS, max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, self._audible)
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

    async def drop(self, *, resumable: bool) -> None:
        """Cut every connection, as a lost network does: no closing handshake."""
        for connection in list(self._connections):
            if not resumable and connection.session is not None:
                self._sessions.pop(connection.session.id, None)
            self._detach(connection)
            connection.abort()
        self._world.changes.notify()

    @contextlib.contextmanager
    def silent(self) -> Generator[None]:
        """Connections stand, but what they are to tell is late: acknowledgements, too."""
        self._audible.clear()
        try:
            yield
        finally:
            self._audible.set()

    async def close(self, code: int) -> None:
        """Every connection, with the handshake: Discord says why, and forgets the sessions."""
        for connection in list(self._connections):
            if connection.session is not None:
                self._sessions.pop(connection.session.id, None)
            self._detach(connection)
            await connection.socket.close(code=code)

    def broadcast(self, op: int, data: object = None) -> None:
        for connection in list(self._connections):
            connection.send(op, data)

    def invalidate_sessions(self, *, resumable: bool) -> None:
        """Op 9. The sessions are forgotten unless the bot may resume them."""
        for connection in list(self._connections):
            if not resumable and connection.session is not None:
                self._sessions.pop(connection.session.id, None)
            self._detach(connection)
            connection.send(Op.INVALID_SESSION, resumable)

    def _dispatch(self, event: str, data: JsonObject, without_content: JsonObject) -> None:
        for session in self._sessions.values():
            session.dispatch(event, data if session.sees_content else without_content)

    async def _receive(self, connection: Connection, frame: JsonObject) -> None:
        op: int = frame["op"]
        if op == Op.HEARTBEAT:
            self.heartbeats += 1
            connection.send(Op.HEARTBEAT_ACK)
            self._world.changes.notify()
        elif op == Op.IDENTIFY:
            await self._identify(connection, frame["d"])
        elif op == Op.RESUME:
            self._resume(connection, frame["d"])
        elif op == Op.REQUEST_MEMBERS and connection.session is not None:
            self._send_members(connection.session, frame["d"])

    async def _identify(self, connection: Connection, data: JsonObject) -> None:
        if data["token"] != TOKEN:
            await connection.socket.close(code=CloseCode.AUTHENTICATION_FAILED)
            return
        if data["intents"] & self.disallowed_intents:
            await connection.socket.close(code=CloseCode.DISALLOWED_INTENTS)
            return
        self._delete_old_sessions()
        session = Session(secrets.token_hex(16), data["intents"], connection)
        self._sessions[session.id] = session
        self._world.content_intent = session.sees_content
        guilds = self._world.guilds_of(self._world.bot)
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": payloads.user(self._world.bot),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                # Elsewhere, and the bot would resume its session at the real Discord.
                "resume_gateway_url": self.url,
                "shard": data.get("shard", [0, 1]),
                "application": {"id": str(self._world.bot.id), "flags": 0},
            },
        )
        for guild in guilds:
            if guild.id in self._world.unavailable:
                continue
            contents = payloads.guild_with_contents(guild, self._world.channels_of(guild))
            # As opposed to a guild without this key, which the bot has just been invited to.
            session.dispatch("GUILD_CREATE", contents | {"unavailable": False})
        self._attach(connection, session)
        self.identified += 1
        self._world.changes.notify()

    def _delete_old_sessions(self) -> None:
        abandoned = [each.id for each in self._sessions.values() if each.connection is None]
        for session_id in abandoned[:-KEPT_SESSIONS]:
            del self._sessions[session_id]

    def _resume(self, connection: Connection, data: JsonObject) -> None:
        session = self._sessions.get(data["session_id"])
        if session is None or not session.can_replay_from(data["seq"] or 0):
            connection.send(Op.INVALID_SESSION, data=False)
            return
        session.resume_on(connection, data["seq"] or 0)
        self._attach(connection, session)
        self.resumed += 1
        self._world.changes.notify()

    def _send_members(self, session: Session, query: JsonObject) -> None:
        guild = self._world.guilds[int(query["guild_id"])]
        wanted = {int(each) for each in query.get("user_ids") or ()}
        prefix = (query.get("query") or "").lower()
        found = [
            member
            for member in guild.members.values()
            if (member.id in wanted if wanted else member.name.lower().startswith(prefix))
        ]
        session.dispatch(
            "GUILD_MEMBERS_CHUNK",
            {
                "guild_id": str(guild.id),
                "members": [payloads.member(member) for member in found],
                "chunk_index": 0,
                "chunk_count": 1,
                "not_found": [str(each) for each in wanted - guild.members.keys()],
                "nonce": query.get("nonce"),
            },
        )

    def _attach(self, connection: Connection, session: Session) -> None:
        connection.session = session
        session.connection = connection

    def _detach(self, connection: Connection) -> None:
        if connection.session is not None and connection.session.connection is connection:
            connection.session.connection = None
        connection.session = None

    def _disconnected(self, connection: Connection) -> None:
        session = connection.session
        self._connections.discard(connection)
        self._detach(connection)
        # A bot that closes with 1000 or 1001 is done with the session; any other end is an
        # accident, after which it may come back and ask for what it missed.
        if session is not None and connection.socket.close_code in (1000, 1001):
            self._sessions.pop(session.id, None)
        self._world.changes.notify()
