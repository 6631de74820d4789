"""Who the servers run as: never uid 0, which PostgreSQL refuses, and initdb a user without a name.

Root's servers run as a user of their own, with whom nothing else on the machine shares an id, if
that one can reach the data and the binaries; else in a user namespace, where root is seen as an
ordinary user, has no power over the machine, and keeps reaching what only root can.
"""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from embedded.supervisor import IN_NAMESPACE

if sys.platform != "win32":
    import pwd


OWN_IDS = range(65533, 65519, -1)
"""What distributions leave free, for users and groups alike: no package and no adduser takes one.
`nobody`, who follows, is many programs' user, and each could read what belongs to another."""
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """The owner of a server's files, and the word that tells the supervisor to become it."""

    uid: int
    gid: int
    word: str = ""

    @property
    def is_nobody(self) -> bool:
        """Who may be many programs at once."""
        return os.geteuid() == 0 and self.uid != 0 and self == nobody()

    @property
    def word_with_a_name(self) -> str:
        """The word for who is to be seen as a user that has a name."""
        if IN_NAMESPACE in self.word or self.uid == 0 or _has_name(self.uid):
            return self.word
        return f"{self.word}:{IN_NAMESPACE}" if self.word else IN_NAMESPACE


def account_for(directory: Path, needed: tuple[Path, ...]) -> Account:
    """Who can run a server with this data and reach everything in `needed`.

    Whether the system allows a user namespace only shows when the supervisor enters one.
    """
    own = Account(os.geteuid(), os.getegid())
    if own.uid != 0:
        return own
    for account in _ordinary_accounts(directory):
        if all(_can_reach(account, path) for path in needed):
            return account
    return replace(own, word=IN_NAMESPACE)


def nobody() -> Account:
    """The last resort of root, where there is no other user with a name."""
    return _account(pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)


def hand_over(path: Path, account: Account) -> None:
    """Give a tree to its account: it may have been moved, restored, or used by another one."""
    if path.lstat().st_uid != account.uid:
        for each in (*path.rglob("*"), path):  # the top last: a cut-off pass is seen and repeated
            os.chown(each, account.uid, account.gid, follow_symlinks=False)


def _ordinary_accounts(directory: Path) -> Iterator[Account]:
    """Whose data it is already, in whose home it is, and a user of its own."""
    directory = directory.resolve()
    for path in (directory, *directory.parents):
        if path.exists():
            owner = path.stat()
            if owner.st_uid not in (0, NOBODY) and (
                owner.st_uid in OWN_IDS or _has_name(owner.st_uid)
            ):
                yield _account(owner.st_uid, owner.st_gid)
    if sys.platform == "linux":
        free = (each for each in OWN_IDS if not _has_name(each) and _is_mapped(each))
        yield from (_account(each, each) for each in list(free)[:1])
    else:
        yield nobody()


def _is_mapped(uid: int) -> bool:
    """Whether there is such a user where we run, which may be a namespace with but a few."""
    for name in ("uid_map", "gid_map"):
        lines = Path(f"/proc/self/{name}").read_text(encoding="ascii").splitlines()
        ranges = [[int(number) for number in line.split()] for line in lines]
        if not any(first <= uid < first + count for first, _, count in ranges):
            return False
    return True


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
