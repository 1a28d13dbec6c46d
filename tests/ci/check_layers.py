#!/usr/bin/env python3
"""Checks the imports between the files of each crate (crates/*/src) and package (clients/*/src).

    tests/ci/check_layers.py [ROOT]

The rules, of which check_layers_test.py shows that each detects a violation:
1. The files of a crate or package do not import each other in a circle.
2. A file of the edge crate imports no file of a higher layer (EDGE_LAYERS).
3. A file of a crate has at most MAX_LINES lines.

Test code has no part in rules 1 and 2: items under `#[cfg(test)]`, and the files of such modules. A module file is one
unit with the files of its folder, so that `mod.rs` may use what is below it; what is below may import it, too, unless it is
of a higher layer. An import of a re-exported name counts as an import of the file that it comes from.
"""

import re
import sys
from pathlib import Path

MAX_LINES = 400

# The layers of crates/edge/src, from the top. A name is a file or a folder. Names of one layer may import each other.
EDGE_LAYERS = [
    {"lib"},
    {"server"},
    {"sockets", "http"},
    {"rooms_task"},
    {"link"},
    {"inbox"},
    {"outbound", "drain"},
    {"transport"},
    {"direct"},
    {"packet", "config", "metrics", "rate_limit", "task_group"},
]

# Literals and comments of Rust; a lifetime such as 'a is not a literal.
RUST_NOISE = re.compile(
    r"""//[^\n]* | /\*.*?\*/
      | b?r(?P<hashes>\#*)".*?"(?P=hashes) | b?"(?:\\.|[^"\\])*"
      | b?'(?:\\[^\n]+?|[^\\'\n])'""",
    re.DOTALL | re.VERBOSE,
)
# The items that are compiled only for tests, also `any(test, …)`.
TEST_ATTRIBUTE = re.compile(r"#\[cfg\(\s*(?:any\s*\(\s*)?test\b[^\]]*\]")
MODULE = re.compile(r"\bmod\s+(?:r#)?(\w+)\s*;")
USE = re.compile(r"\buse\s+([^;]+);")
PATH = re.compile(r"(?<![\w:])(?:crate|super|self)(?:\s*::\s*\w+)+")
VISIBILITY = re.compile(r"\bpub\s*\(\s*in\s[^)]*\)")
# Comments of TypeScript, and the module names of its imports and exports.
TYPESCRIPT_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
TYPESCRIPT_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*(['"])(\.[^'"]*)\1""")


class RustCrate:
    """The modules of a crate, by path: () is the root, ("a", "b") is a::b."""

    def __init__(self, source: Path):
        self.files: dict[tuple[str, ...], Path] = {}
        self.texts: dict[tuple[str, ...], str] = {}
        self.imports: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
        for name in ("main.rs", "lib.rs"):
            if (source / name).exists():
                self._read((), source / name, source)
        for module, text in self.texts.items():
            self.imports[module] = list(self._imports(module, text))

    def _read(self, module: tuple[str, ...], file: Path, folder: Path):
        text = without_tests(RUST_NOISE.sub(" ", file.read_text()))
        self.files[module] = file
        self.texts[module] = text
        for name in MODULE.findall(text):
            for child in (folder / f"{name}.rs", folder / name / "mod.rs"):
                if child.exists():
                    self._read((*module, name), child, folder / name)

    def _imports(self, module: tuple[str, ...], text: str):
        """The imported paths, each with the name that it has in this module ("*" for all names)."""
        text = VISIBILITY.sub("pub", text)
        for body in USE.findall(text):
            for path, name in use_tree([], body):
                yield from self._absolute(module, path, name)
        for path in PATH.findall(USE.sub("", text)):
            segments = re.split(r"\s*::\s*", path)
            yield from self._absolute(module, segments, "")

    def _absolute(self, module: tuple[str, ...], path: list[str], name: str):
        first, rest = path[0], path[1:]
        if first == "crate":
            yield tuple(rest), name
        elif first == "self":
            yield (*module, *rest), name
        elif first == "super":
            base = module[:-1]
            while rest and rest[0] == "super":
                base, rest = base[:-1], rest[1:]
            yield (*base, *rest), name
        elif (*module, first) in self.files:
            yield (*module, *path), name

    def owner(self, path: tuple[str, ...], depth: int = 0) -> tuple[str, ...]:
        """The module in which a path is defined, also if another module re-exports it."""
        module = path
        while module not in self.files:
            module = module[:-1]
        rest = path[len(module) :]
        if rest and depth < 10:
            for target, name in self.imports.get(module, []):
                if name == rest[0] and target != path:
                    return self.owner((*target, *rest[1:]), depth + 1)
        return module

    def graph(self) -> dict[Path, set[Path]]:
        """The files that each file imports, except those of its own folder below it."""
        return {
            self.files[module]: {
                self.files[target]
                for target in {self.owner(path) for path, _ in imports}
                if target[: len(module)] != module
            }
            for module, imports in self.imports.items()
        }


def without_tests(text: str) -> str:
    """The text without the items that have a test attribute."""
    kept, at = [], 0
    while found := TEST_ATTRIBUTE.search(text, at):
        kept.append(text[at : found.start()])
        at = end_of_item(text, found.end())
    return "".join(kept) + text[at:]


def end_of_item(text: str, at: int) -> int:
    """The end of the item that starts here: its semicolon or its closing brace."""
    depth = 0
    for index in range(at, len(text)):
        if text[index] in "{([":
            depth += 1
        elif text[index] in "})]":
            depth -= 1
            if depth == 0 and text[index] == "}":
                return index + 1
        elif text[index] == ";" and depth == 0:
            return index + 1
    return len(text)


def use_tree(prefix: list[str], body: str):
    """The paths of a `use` declaration, each with the name that it gets."""
    for item in split_at_commas(body):
        if brace := re.fullmatch(r"(.*?)(?:::)?\s*\{(.*)\}", item, re.DOTALL):
            segments = [segment.strip() for segment in brace[1].split("::") if segment.strip()]
            yield from use_tree(prefix + segments, brace[2])
        elif item:
            path, _, alias = item.partition(" as ")
            segments = prefix + [segment.strip() for segment in path.split("::") if segment.strip()]
            name = alias.strip() or segments[-1]
            if segments[-1] in ("self", "*") and len(segments) > 1:
                name = alias.strip() or ("*" if segments[-1] == "*" else segments[-2])
                segments = segments[:-1]
            yield segments, name


def split_at_commas(body: str) -> list[str]:
    items, depth = [""], 0
    for character in body:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def typescript_graph(source: Path) -> dict[Path, set[Path]]:
    """The relative imports and re-exports of each file, types included."""
    files = {file for suffix in ("*.ts", "*.tsx") for file in source.rglob(suffix)}

    def resolve(file: Path, name: str):
        target = Path(re.sub(r"\.jsx?$", "", str((file.parent / name).resolve())))
        candidates = [target, *(Path(f"{target}{end}") for end in (".ts", ".tsx", "/index.ts", "/index.tsx"))]
        return next((candidate for candidate in candidates if candidate in files), None)

    graph = {}
    for file in files:
        text = TYPESCRIPT_COMMENT.sub("", file.read_text())
        targets = {resolve(file, name) for _, name in TYPESCRIPT_IMPORT.findall(text)}
        graph[file] = targets - {None, file}
    return graph


def circles(graph: dict[Path, set[Path]]) -> list[list[Path]]:
    """The groups of files that reach each other (strongly connected components, by Tarjan's algorithm)."""
    order: dict[Path, int] = {}
    lowest: dict[Path, int] = {}
    stack: list[Path] = []
    found = []

    def visit(file: Path):
        order[file] = lowest[file] = len(order)
        stack.append(file)
        for target in sorted(graph.get(file, ())):
            if target not in order:
                visit(target)
            if target in stack:
                lowest[file] = min(lowest[file], lowest[target])
        if lowest[file] == order[file]:
            at = stack.index(file)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for file in sorted(graph):
        if file not in order:
            visit(file)
    return found


def layer_violations(source: Path, graph: dict[Path, set[Path]]) -> list[str]:
    """The imports of a higher layer, and the files without a layer."""
    ranks = {name: rank for rank, names in enumerate(EDGE_LAYERS) for name in names}

    def name(file: Path) -> str:
        return file.relative_to(source).parts[0].removesuffix(".rs")

    without_layer = {name(file) for file in graph} - ranks.keys()
    violations = [f"{name} has no layer: add it to EDGE_LAYERS" for name in sorted(without_layer)]
    bottom = len(EDGE_LAYERS)
    for file, targets in sorted(graph.items()):
        for target in sorted(targets):
            if ranks.get(name(target), bottom) < ranks.get(name(file), 0):
                names = f"{file.relative_to(source)} imports {target.relative_to(source)}"
                violations.append(f"{names}, which is of a higher layer")
    return violations


def check(root: Path) -> list[str]:
    """The violations in a repository."""
    violations = []
    root = root.resolve()

    def report_circles(graph: dict[Path, set[Path]]):
        for group in circles(graph):
            names = ", ".join(str(file.relative_to(root)) for file in group)
            violations.append(f"import circle: {names}")

    for source in sorted(root.glob("crates/*/src")):
        graph = RustCrate(source).graph()
        report_circles(graph)
        if source.parent.name == "edge":
            violations += layer_violations(source, graph)
        for file in sorted(source.rglob("*.rs")):
            lines = len(file.read_text().splitlines())
            if lines > MAX_LINES:
                violations.append(f"{file.relative_to(root)} has {lines} lines, more than {MAX_LINES}")
    for source in sorted(root.glob("clients/*/src")):
        report_circles(typescript_graph(source))
    return violations


def main():
    sys.setrecursionlimit(10_000)
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2]
    violations = check(root)
    for violation in violations:
        print(violation)
    if violations:
        sys.exit(f"{len(violations)} violations of the rules in tests/ci/check_layers.py")


if __name__ == "__main__":
    main()
