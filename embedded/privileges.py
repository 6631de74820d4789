"""Who PostgreSQL runs as: it refuses uid 0, and initdb a user without a name.

Root's PostgreSQL runs as an ordinary user if that one can reach the data and the binaries, else in
a user namespace, where root is seen as an ordinary user and keeps reaching what only root can.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.supervisor import IN_NAMESPACE

if sys.platform != "win32":
    import pwd


@dataclass(frozen=True)
class Account:
    """The owner of a server's files, and the word that tells the supervisor to become it."""

    uid: int
    gid: int
    word: str = ""


def account_for_postgres(cluster: Path, needed: tuple[Path, ...]) -> Account:
    """Who can run it and reach everything in `needed`.

    Whether the system allows a user namespace only shows when the supervisor enters one.
    """
    own = Account(os.geteuid(), os.getegid())
    in_namespace = replace(own, word=IN_NAMESPACE)
    if own.uid != 0:
        return own if _has_name(own.uid) else in_namespace
    for account in _ordinary_accounts(cluster):
        if all(_can_reach(account, path) for path in needed):
            return account
    return in_namespace


def hand_over(path: Path, account: Account) -> None:
    """Give a tree to its account: it may have been moved, restored, or used by another one."""
    if path.lstat().st_uid != account.uid:
        for each in (*path.rglob("*"), path):  # the top last: a cut-off pass is seen and repeated
            os.chown(each, account.uid, account.gid, follow_symlinks=False)


def _ordinary_accounts(cluster: Path) -> Iterator[Account]:
    """Whose cluster it is already, whose home it is in, and nobody."""
    cluster = cluster.resolve()
    for path in (cluster, *cluster.parents):
        if path.exists():
            owner = path.stat()
            if owner.st_uid != 0 and _has_name(owner.st_uid):
                yield _account(owner.st_uid, owner.st_gid)
    with suppress(KeyError):
        nobody = pwd.getpwnam("nobody")
        yield _account(nobody.pw_uid, nobody.pw_gid)


def _account(uid: int, gid: int) -> Account:
    return Account(uid, gid, f"{uid}:{gid}")


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _can_reach(account: Account, path: Path) -> bool:
    """May it pass every directory on the way and use the last? Access lists are not asked."""
    path = path.resolve()
    return all(_may_execute(account, each.stat()) for each in (path, *path.parents))


def _may_execute(account: Account, status: os.stat_result) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
