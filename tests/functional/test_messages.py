"""Every error of the package says, in one line, where, what is wrong and what to do: read from its source.

A message is made readable first: a part that is filled in becomes ``{}``; a name or a helper that holds a part of the
text is looked up in its module. It is then held against ``place: what is wrong; remedy``:

- the place is filled in (a path, a device), or one of the words that users know: an argument, or what they passed;
- what is wrong says what is expected ("must", "needed", ...) or what is the case ("can", "has");
- the remedy begins with a verb that tells to do something. A new verb is a new line here, and so was thought about.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import oddfleet
from oddfleet import errors

PACKAGE = Path(oddfleet.__file__).parent
OURS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
OTHERS = {
    "LineError", "HourError", "UnreadableError", "_Stopped", "OSError", "ValueError", "error",
    "typer.Exit", "SystemExit", "KeyboardInterrupt", "AttributeError", "BlockingIOError",
}  # fmt: skip
"""A line's reason stands in the table ``rejected`` beside its file and line; leaving is no error; a name that does not
exist is a matter of Python; that a lock is held, or why a file cannot be read, is told by whoever asked for it."""
PLACES = {"alpha", "cohorts", "store", "repeats", "seed", "fleet", "frame", "plant", "device", "stdout"}
REMEDIES = {
    "add", "allow", "check", "choose", "convert", "correct", "drop", "free", "give", "leave", "make", "mend", "merge",
    "parse", "reindex", "rename", "run", "see", "sum", "wait", "write",
}  # fmt: skip
FORM = re.compile(
    r"(?P<place>(\{\}|[a-z]+)(:\d+|:\{\}| \{\})?): "
    r"(?P<wrong>.*\b(must|needed|needs|to be written|can|has|have)\b.*)"
    r"; (?P<remedy>[a-z]+)\b[^;]*"
)
LONGEST = 200
"""Letters of a message, what is filled in apart."""


@cache
def sources() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def raised(tree: ast.Module) -> Iterator[tuple[int, str, list[ast.expr]]]:
    """Line, name and arguments of everything that is raised anew."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            call = node.exc
            function = call.func if isinstance(call, ast.Call) else call
            yield node.lineno, ast.unparse(function), call.args if isinstance(call, ast.Call) else []


def text(node: ast.expr, tree: ast.Module) -> str:
    """A message as its source has it, with ``{}`` for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text(part, tree) for part in node.values)
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    if isinstance(inner, ast.Name):
        # A constant, told by its capitals, may be another module's.
        homes = (tree, *sources().values()) if inner.id.isupper() else (tree,)
        return next((text(value, home) for home in homes for value in assigned(inner.id, home)), "{}")
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
        return next((text(value, everywhere) for everywhere, value in returned(inner.func.id)), "{}")
    return "{}"


def assigned(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    """The texts that a module gives this name."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, ast.Assign)
            if isinstance(node.value, ast.JoinedStr | ast.Constant):
                yield node.value


def returned(name: str) -> Iterator[tuple[ast.Module, ast.expr]]:
    """The texts that a function of this name returns, and its module."""
    for tree in sources().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                values = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
                yield from ((tree, value) for value in values if isinstance(value, ast.JoinedStr | ast.Constant))


def passed_on(arguments: list[ast.expr]) -> bool:
    """Is it the message of another error, its text kept? That one is looked at where it is raised."""
    return len(arguments) == 1 and ast.unparse(arguments[0]).startswith("str(error)")


def fault(message: str) -> str:
    """What a message lacks; nothing when it is as it should be."""
    found = FORM.fullmatch(message)
    if found is None:
        return "it is not of the form 'place: what is wrong; remedy'"
    if not found["place"].startswith("{}") and re.split(r"[ :]", found["place"])[0] not in PLACES:
        return f"its place is '{found['place']}', which users do not know"
    if found["remedy"] not in REMEDIES:
        return f"its remedy begins with '{found['remedy']}'"
    return "" if len(message) <= LONGEST else f"it has {len(message)} letters"


def messages() -> list[tuple[str, int, str]]:
    """File, line and text of every error that users may meet."""
    return [
        (file, line, text(arguments[0], tree))
        for file, tree in sources().items()
        for line, name, arguments in raised(tree)
        if name in OURS and not passed_on(arguments)
    ]


def test_every_message_has_a_place_and_a_remedy() -> None:
    found = messages()
    assert len(found) > 40
    assert [f"{file}:{line}: {fault(said)}: {said}" for file, line, said in found if fault(said)] == []


def test_nothing_else_is_raised() -> None:
    strange = [
        f"{file}:{line}: {name}"
        for file, tree in sources().items()
        for line, name, _ in raised(tree)
        if name not in OURS | OTHERS
    ]
    assert strange == []


def test_the_criterion_tells_good_from_bad() -> None:
    assert fault("{}:{}: traffic must be a number, got {}; correct the line") == ""
    for bad in (
        "traffic must be a number",
        "{}: cannot be read",
        "{}: a number is needed; sorry",
        "input: a number is needed; correct it",
        "{}: a number; correct it",
        "{}: a number is needed\ngot none; correct it",
        "; correct it",
    ):
        assert fault(bad) != ""
