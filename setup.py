"""`pip install .`: the tree of this checkout becomes one package, `punctual`.

In the checkout `bot`, `cogs`, `domains` and the rest are at the top level. A bot that loads
Punctual has modules of those names, so the build copies the tree into a package and rewrites what
our modules call each other: `from domains.x import y` becomes `from punctual.domains.x import y`.
Everything else is in pyproject.toml.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel
from setuptools.errors import SetupError

ROOT = Path(__file__).resolve().parent
PACKAGE = "punctual"
PARTS = (
    "bot.py",
    "cogs",
    "demo",
    "domains",
    "embedded",
    "locales",
    "migrations",
    "operations",
    "web",
)
"""What goes into the package. Tests, benchmarks, docs and deployment stay behind."""
TOP_LEVEL = frozenset(part.removesuffix(".py") for part in PARTS)
NOT_COPIED = {".pyc", ".md"}

OWN_FILES = {
    "__init__.py": '''\
"""A ticket system for discord.py bots, whose tickets close when it said they would."""

from punctual.bot import Punctual, create_bot
from punctual.domains.errors import StartupError
from punctual.domains.settings import Settings, load_settings

__all__ = ["Punctual", "Settings", "StartupError", "create_bot", "load_settings"]
''',
    "__main__.py": '''\
"""`python -m punctual`"""

import sys

from punctual.bot import main

if __name__ == "__main__":
    sys.exit(main())
''',
    "py.typed": "",
}

TAKES_A_MODULE_NAME = {
    "PackageLoader",
    "__import__",
    "find_spec",
    "getLogger",
    "import_module",
    "run_module",
}
"""Functions whose first argument may name one of our modules, a top-level one included."""


# --- what our modules call each other


def in_package(source: str, modules: Collection[str]) -> str:
    """The source of one of our modules, as it is inside the package. No line moves.

    `modules` are the dotted names of all our modules: a string that is exactly one of them, or the
    name of a module where one is expected, means that module.
    """
    lines = source.encode().splitlines(keepends=True)
    replacements = sorted(_replacements(ast.parse(source), lines, modules), reverse=True)
    for (line, start), (last_line, end), text in replacements:
        if line != last_line:
            raise SetupError(f"{text}: write that import or name on one line")
        lines[line] = lines[line][:start] + text.encode() + lines[line][end:]
    return b"".join(lines).decode()


Position = tuple[int, int]
"""Line from 0, and byte in it."""


def _replacements(
    tree: ast.Module, lines: list[bytes], modules: Collection[str]
) -> Iterator[tuple[Position, Position, str]]:
    in_f_strings = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    named = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _takes_a_module_name(node.func)
        for argument in node.args[:1]
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(_is_ours(alias.name) for alias in names):
                yield *_span(node), "; ".join(map(_import, names))
            case ast.ImportFrom(module=str(name), level=0) if _is_ours(name):
                line, start = _span(node)[0]
                keyword = re.match(rb"from\s+(?=\w)", lines[line][start:])
                if keyword is None:
                    raise SetupError(f"from {name}: write the name on the same line")
                at = (line, start + keyword.end())
                yield at, at, f"{PACKAGE}."
            case ast.Constant(value=str(name)) if id(node) not in in_f_strings:
                expected = id(node) in named and _is_ours(name)
                if expected or ("." in name and name in modules):
                    yield *_span(node), f'"{PACKAGE}.{name}"'
            case _:
                pass


def _import(alias: ast.alias) -> str:
    """`import` binds the top-level name, so with a dotted one there is a second step."""
    if not _is_ours(alias.name):
        return f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
    if alias.asname:
        return f"import {PACKAGE}.{alias.name} as {alias.asname}"
    top, dot, _ = alias.name.partition(".")
    loading = f"import {PACKAGE}.{alias.name} as {top}; " if dot else ""
    return f"{loading}from {PACKAGE} import {top}"


def _takes_a_module_name(function: ast.expr) -> bool:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TAKES_A_MODULE_NAME
        case _:
            return False


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in TOP_LEVEL


def _span(node: ast.stmt | ast.expr) -> tuple[Position, Position]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno - 1, node.col_offset), (node.end_lineno - 1, node.end_col_offset)


# --- the build


def part_files() -> list[Path]:
    """All files that go into the package, relative to the checkout."""
    found: list[Path] = []
    for part in PARTS:
        path = ROOT / part
        found += [path] if path.is_file() else sorted(path.rglob("*"))
    relative = [path.relative_to(ROOT) for path in found if path.is_file()]
    return [
        path
        for path in relative
        if path.suffix not in NOT_COPIED and not any(name.startswith(".") for name in path.parts)
    ]


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


class BuildPackage(build_py):
    """Writes the package; setuptools makes the wheel of it."""

    def run(self) -> None:
        files = part_files()
        modules = {module_name(path) for path in files if path.suffix == ".py"}
        target = Path(self.build_lib) / PACKAGE
        for path in files:
            destination = target / path
            destination.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".py":
                source = (ROOT / path).read_text(encoding="utf-8")
                destination.write_text(in_package(source, modules), encoding="utf-8")
            else:
                destination.write_bytes((ROOT / path).read_bytes())
        for name, source in OWN_FILES.items():
            (target / name).write_text(source, encoding="utf-8")

    def get_source_files(self) -> list[str]:
        """For a source distribution, which is built like the checkout."""
        return [*map(str, part_files()), "requirements.txt", "requirements-demo.txt"]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:  # noqa: ARG002
        names = [*map(str, part_files()), *OWN_FILES]
        return [str(Path(self.build_lib) / PACKAGE / name) for name in names]


class NoEditableWheel(editable_wheel):
    """There is no `punctual` in the checkout that an installation could point at."""

    def run(self) -> None:
        raise SetupError("`pip install -e` is not possible: install it, or run bot.py from here")


def demo_requirements() -> list[str]:
    lines = (ROOT / "requirements-demo.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def main() -> None:
    # Nothing is left in the checkout, and nothing of an earlier build gets into this one.
    with TemporaryDirectory() as directory:
        setup(
            packages=[PACKAGE],
            package_dir={PACKAGE: "."},
            include_package_data=False,
            extras_require={"demo": demo_requirements()},
            cmdclass={"build_py": BuildPackage, "editable_wheel": NoEditableWheel},
            options={"build": {"build_base": directory}, "egg_info": {"egg_base": directory}},
        )


if __name__ == "__main__":
    main()
