"""Stops a server when the bot is gone, however the bot ended.

    python -I -S supervisor.py STOP_SIGNAL SOCKET_DIR ACCOUNT COMMAND...

A tiny interpreter between the bot and one server. Its stdin is a pipe that only the bot holds, so
the end of that pipe is the end of the bot, SIGKILL included. It runs as a plain file and imports
little, because every start of the bot waits for it.
"""

import ctypes
import os
import select
import signal
import sys
from types import FrameType

IN_NAMESPACE = "namespace"
"""The ACCOUNT that stays who it is, but is seen as an ordinary user by what it starts: alone, or
after another account, as in UID:GID:namespace."""

CANNOT_BECOME_ACCOUNT = 77
"""The exit status when the system refuses that account."""

_LIFELINE = 0
_GRACE_SECONDS = 30
_NOBODY = 65534
_NOT_FOR_THE_SUPERVISOR = (signal.SIGINT, signal.SIGTERM)
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def main(stop_signal: str, socket_dir: str, account: str, *command: str) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_THE_SUPERVISOR)
    try:
        _become(account)
    except OSError as error:
        sys.stderr.write(f"supervisor: cannot become {account}: {error}\n")
        return CANNOT_BECOME_ACCOUNT
    if not socket_dir:
        return _run(command, int(stop_signal))
    os.mkdir(socket_dir, 0o700)  # noqa: PTH102  # pathlib would double the start-up time
    try:
        return _run(command, int(stop_signal))
    finally:
        remove_socket_dir(socket_dir)


def remove_socket_dir(path: str) -> None:
    """Remove the directory with the sockets a killed server left in it."""
    try:
        for entry in os.scandir(path):
            os.unlink(entry)  # noqa: PTH108
        os.rmdir(path)  # noqa: PTH106
    except FileNotFoundError:
        pass


def _become(account: str) -> None:
    ids, _, in_namespace = account.rpartition(":") if IN_NAMESPACE in account else (account, "", "")
    if ids:
        uid, gid = map(int, ids.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if in_namespace:
        _enter_namespace()


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    # Who has just become another user may not write to its own /proc without this.
    libc.prctl(_PR_SET_DUMPABLE, 1)
    if libc.unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, text in (
        ("setgroups", "deny"),  # the kernel's condition for mapping a group without privileges
        ("uid_map", f"{_NOBODY} {uid} 1"),
        ("gid_map", f"{_NOBODY} {gid} 1"),
    ):
        # In bytes: another user may not be able to import a codec any more.
        with open(f"/proc/self/{name}", "wb") as file:  # noqa: PTH123
            file.write(text.encode())


def _run(command: tuple[str, ...], stop_signal: int) -> int:
    server, ended = _start(command, stop_signal)
    select.select([_LIFELINE, ended], [], [])  # whichever ends first, the bot or the server
    os.kill(server, stop_signal)  # if it was the server, this reaches a zombie

    def lose_patience(_number: int, _frame: FrameType | None) -> None:
        os.kill(server, signal.SIGKILL)

    signal.signal(signal.SIGALRM, lose_patience)
    signal.alarm(_GRACE_SECONDS)
    _, status = os.waitpid(server, 0)
    return 0 if status == 0 else 1


def _start(command: tuple[str, ...], stop_signal: int) -> tuple[int, int]:
    """The server's process id, and a pipe that ends with the last process of the server."""
    ended, held = os.pipe()
    os.set_inheritable(held, True)
    supervisor = os.getpid()
    server = os.fork()
    if server == 0:
        try:
            _stop_with(supervisor, stop_signal)
            _reset_signals()
            os.dup2(os.open(os.devnull, os.O_RDONLY), _LIFELINE)
            os.execv(command[0], command)  # noqa: S606
        except OSError as error:
            sys.stderr.write(f"supervisor: {error}: {command[0]}\n")
        finally:
            os._exit(127)
    os.close(held)
    return server, ended


def _reset_signals() -> None:
    """Ignored or blocked ones would stay so in the server; one that came meanwhile ends it here."""
    for number in (*_NOT_FOR_THE_SUPERVISOR, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _NOT_FOR_THE_SUPERVISOR)


def _stop_with(supervisor: int, stop_signal: int) -> None:
    """Linux also stops the server when the supervisor is killed; elsewhere the next start does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != supervisor:
            os._exit(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
