"""Files stay under 400 lines and functions under 50. (That imports stand at the top is the linter's: PLC0415.)"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("apps", "config", "tests", "scripts", "bench")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50


def files() -> list[Path]:
    found = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    # A migration is written once and never read again.
    return [file for file in found if "migrations" not in file.parts]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring and decorators: what it takes to follow it."""
    first = node.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(getattr(first, "value", None), ast.Constant)
    documented = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - documented


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_short_and_so_are_its_functions(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= LONGEST_FILE, "split the file"
    tree = ast.parse(text)
    for function in functions(tree):
        assert code_lines(function) <= LONGEST_FUNCTION, f"{function.name} is too long"
