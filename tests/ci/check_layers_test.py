#!/usr/bin/env python3
"""Checks that each rule of check_layers.py detects a violation, and accepts what is allowed."""

import tempfile
import unittest
from pathlib import Path

from check_layers import MAX_LINES, check

EDGE = {
    "crates/edge/src/lib.rs": "mod server; mod link; mod packet;",
    "crates/edge/src/server.rs": "use crate::{link::{self, Link}, packet};",
    "crates/edge/src/link/mod.rs": "use crate::packet::Packet;",
    "crates/edge/src/packet.rs": "",
}
TWO_MODULES = {"crates/a/src/lib.rs": "mod x; mod y;", "crates/a/src/x.rs": "", "crates/a/src/y.rs": ""}


def violations(files: dict[str, str]) -> list[str]:
    """The violations in a repository of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return check(Path(folder))


class Rust(unittest.TestCase):
    def between(self, x: str, y: str) -> list[str]:
        return violations(TWO_MODULES | {"crates/a/src/x.rs": x, "crates/a/src/y.rs": y})

    def test_an_import_in_one_direction_is_allowed(self):
        self.assertEqual(self.between("use crate::y::Y;", ""), [])

    def test_imports_in_a_circle_are_a_violation(self):
        circle = ["import circle: crates/a/src/x.rs, crates/a/src/y.rs"]
        self.assertEqual(self.between("use crate::y::Y;", "use crate::x::X;"), circle)
        self.assertEqual(self.between("use super::{y as z, y::{self, Y}};", "use super::x;"), circle)

    def test_a_path_without_a_use_declaration_is_an_import(self):
        self.assertEqual(len(self.between("use crate::y::Y;", "fn f() { crate::x::g() }")), 1)

    def test_a_re_exported_name_is_an_import_of_its_file(self):
        files = TWO_MODULES | {
            "crates/a/src/lib.rs": "mod x; mod y; pub use y::Y;",
            "crates/a/src/x.rs": "use crate::Y;",
            "crates/a/src/y.rs": "use crate::x::X;",
        }
        self.assertEqual(len(violations(files)), 1)

    def test_comments_and_literals_are_not_imports(self):
        text = """/* use crate::x::X; */ // crate::x::X
            const A: &str = "crate::x"; const B: &str = r#"use crate::x;"#; const C: char = '"';"""
        self.assertEqual(self.between("use crate::y::Y;", text), [])

    def test_test_code_may_import_everything(self):
        text = "#[cfg(test)] use crate::x::X; #[cfg(test)] mod tests { use crate::x::X; fn f() {} }"
        self.assertEqual(self.between("use crate::y::Y;", text), [])
        self.assertEqual(len(self.between("use crate::y::Y;", text + " use crate::x::X;")), 1)

    def test_a_module_is_one_unit_with_its_folder(self):
        files = {
            "crates/a/src/lib.rs": "mod x;",
            "crates/a/src/x/mod.rs": "mod y; pub use y::Y;",
            "crates/a/src/x/y.rs": "use super::X;",
        }
        self.assertEqual(violations(files), [])

    def test_a_long_file_is_a_violation(self):
        files = {"crates/a/src/lib.rs": "\n" * (MAX_LINES + 1)}
        self.assertEqual(violations(files), [f"crates/a/src/lib.rs has {MAX_LINES + 1} lines, more than {MAX_LINES}"])


class Layers(unittest.TestCase):
    def test_imports_of_lower_layers_are_allowed(self):
        self.assertEqual(violations(EDGE), [])

    def test_an_import_of_a_higher_layer_is_a_violation(self):
        files = EDGE | {"crates/edge/src/packet.rs": "struct P(crate::server::Server);"}
        self.assertIn("packet.rs imports server.rs, which is of a higher layer", violations(files))

    def test_an_import_of_the_root_is_a_violation(self):
        files = EDGE | {"crates/edge/src/packet.rs": "use crate::Start;"}
        self.assertIn("packet.rs imports lib.rs, which is of a higher layer", violations(files))

    def test_a_file_without_a_layer_is_a_violation(self):
        files = EDGE | {"crates/edge/src/lib.rs": "mod helpers;", "crates/edge/src/helpers.rs": ""}
        self.assertEqual(violations(files), ["helpers has no layer: add it to EDGE_LAYERS"])


class TypeScript(unittest.TestCase):
    def between(self, x: str, y: str) -> list[str]:
        return violations({"clients/ui/src/x.ts": x, "clients/ui/src/y.tsx": y})

    def test_an_import_in_one_direction_is_allowed(self):
        self.assertEqual(self.between("import { y } from './y.js';", "// import { x } from './x.js';"), [])

    def test_imports_in_a_circle_are_a_violation(self):
        circle = ["import circle: clients/ui/src/x.ts, clients/ui/src/y.tsx"]
        self.assertEqual(self.between("import { y } from './y.js';", "export type { X } from './x.js';"), circle)
        self.assertEqual(self.between('import "./y.js";', "const x = await import('./x.js');"), circle)


if __name__ == "__main__":
    unittest.main()
