"""Whether a main road stands alone: nothing on it may need a name that only a side road binds, or changes.

Likewise a section that stands on a data set, which may be left out: nothing outside may need a name that it binds.

Nothing is run. A name counts as needed where a cell, or a function in it, reads it as a global; as bound where a cell
assigns, defines or imports it at its top; as changed where a side road binds it again or assigns into it.
"""

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from course_utils.language import say
from course_utils.roads import heading, sections_needing, side_roads

if TYPE_CHECKING:
    from course_utils.authoring.sources import Cell


def problems(cells: Sequence["Cell"]) -> Iterator[tuple["Cell", str]]:
    """Each cell of the main road that needs something of a side road, with a sentence about it."""
    homes = side_roads((cell.kind, cell.source, cell.road) for cell in cells)
    titles = {place: heading(cells[place].source)[1] for place in homes if place is not None}
    on_main: set[str] = set()
    only_side: dict[str, int] = {}  # a name, and the side road that binds it
    changed: dict[str, int] = {}  # a name of the main road, and the side road that changed it
    for cell, home in zip(cells, homes, strict=True):
        tree = cell.tree()
        if tree is None:
            continue
        if home is not None:
            for name in bound(tree) | changed_within(tree):
                if name in on_main:
                    changed[name] = home
                elif name in bound(tree):
                    only_side[name] = home
            continue
        own = bound(tree)
        for name in sorted(needed(tree)):
            if name in only_side and name not in on_main and not _binds_first(tree, name):
                words = "{name} is bound on the side road “{title}” only; the main road needs it here."
                yield cell, say(words, name=name, title=titles[only_side[name]])
            elif name in changed and not _binds_first(tree, name):
                words = "{name} is changed on the side road “{title}”, and the main road reads it here."
                yield cell, say(words, name=name, title=titles[changed[name]])
        on_main |= own
        for name in own:
            changed.pop(name, None)
            only_side.pop(name, None)


def problems_without_data(cells: Sequence["Cell"]) -> Iterator[tuple["Cell", str]]:
    """Each cell that needs a name bound only where a data set can be had, and does not stand on that set itself."""
    bound_at: dict[str, list[frozenset[str]]] = {}  # a name, and for each cell that binds it the sets it stands on
    homes = sections_needing((cell.kind, cell.source, cell.needs) for cell in cells)
    for cell, home in zip(cells, homes, strict=True):
        tree = cell.tree()
        if tree is None:
            continue
        for name in sorted(needed(tree)):
            places = bound_at.get(name, [])
            if places and not any(sets <= home.keys() for sets in places) and not _binds_first(tree, name):
                sets = ", ".join(sorted(min(places, key=len) - home.keys()))
                words = "{name} is bound only where {sets} can be had; it is needed here without."
                yield cell, say(words, name=name, sets=sets)
        for name in bound(tree):
            bound_at.setdefault(name, []).append(frozenset(home))


def needed(tree: ast.Module) -> set[str]:
    """The globals that a cell's code reads, its functions' included; builtins are none."""

    def of(table: symtable.SymbolTable, top: bool) -> set[str]:
        found = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
        return found.union(*(of(inner, False) for inner in table.get_children()))

    return of(symtable.symtable(ast.unparse(tree), "a cell", "exec"), True) - set(dir(builtins))


def bound(tree: ast.Module) -> set[str]:
    """The names that a cell's code binds at its top: by assignment, definition, import, a loop or a ``with``."""
    table = symtable.symtable(ast.unparse(tree), "a cell", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}


def changed_within(tree: ast.Module) -> set[str]:
    """The names whose objects a cell's code assigns into, at its top: ``a[0] = 1``, ``a.b += 1``, ``del a[0]``."""
    found = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
                target = node
                while isinstance(target, ast.Subscript | ast.Attribute):
                    target = target.value
                if isinstance(target, ast.Name):
                    found.add(target.id)
    return found


def _targets(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _binds_first(tree: ast.Module, name: str) -> bool:
    """Whether a cell binds a name before it reads it; a function reads when it is called, which is later."""
    for statement in tree.body:
        module = ast.Module([statement], [])
        if isinstance(statement, ast.FunctionDef) and statement.name != name:
            continue
        if isinstance(statement, ast.For) and name in _targets(statement.target):
            return name not in needed(ast.Module([ast.Expr(statement.iter)], []))
        if isinstance(statement, ast.With):
            given = [item.optional_vars for item in statement.items if item.optional_vars is not None]
            if any(name in _targets(one) for one in given):
                return True
        if name in needed(module):
            return False
        if name in bound(module):
            return True
    return False
