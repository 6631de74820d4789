"""requirements.lock is what requirements.txt asks for, to the last file."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(name: str) -> dict[str, Requirement]:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = (re.sub(r"(\s+#|^#|--hash=).*", "", line).strip() for line in text.splitlines())
    read = [Requirement(line) for line in lines if line]
    return {canonicalize_name(each.name): each for each in read}


LOCKED = requirements("requirements.lock")


def test_the_lock_has_what_is_required_in_the_same_version_and_on_the_same_systems() -> None:
    for name, required in requirements("requirements.txt").items():
        assert LOCKED[name].specifier == required.specifier, name
        assert LOCKED[name].marker == required.marker, name


def test_the_lock_has_what_those_need() -> None:
    """pip, asked for hashes, refuses whatever is not there."""
    found: set[str] = set()
    wanted = list(requirements("requirements.txt").values())
    while wanted:
        each = wanted.pop()
        name = canonicalize_name(each.name)
        needed = each.marker is None or any(
            each.marker.evaluate({"extra": extra}) for extra in ("", *each.extras)
        )
        if needed and name not in found:
            found.add(name)
            for line in distribution(name).requires or ():
                inner = Requirement(line)
                if inner.marker is None or any(
                    inner.marker.evaluate({"extra": extra}) for extra in ("", *each.extras)
                ):
                    inner.marker = None
                    wanted.append(inner)
    assert sorted(found - LOCKED.keys()) == []
    assert {"croniter", "yarl", "pydantic-core"} <= found


def test_each_file_is_pinned_by_version_and_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for entry in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]:
        first, *rest = entry.split(" \\\n")
        assert re.fullmatch(r"[\w-]+==[\w.]+( ; .+)?", first.strip()), first
        assert rest, first
        assert all(HASH.fullmatch(line.strip()) for line in rest), first


def test_no_file_of_the_installation_names_where_packages_come_from() -> None:
    for file in (*ROOT.glob("requirements*"), *ROOT.glob("deploy/*"), ROOT / "pyproject.toml"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text), file
