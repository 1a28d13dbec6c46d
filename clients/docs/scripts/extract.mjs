// Writes each snippet of the docs and of the packages' READMEs to a separate file in dist/snippets, for the compiler.
// Snippets with a file name are not included, because tests run them.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const target = fileURLToPath(new URL('../dist/snippets/', import.meta.url));
const PAGES = ['docs/browser.md', 'clients/core/README.md', 'clients/react/README.md'];
const BLOCK = /^ *```(tsx?|jsx?)\n(.*?)^ *```$/gms;

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const page of PAGES) {
  const text = readFileSync(join(root, page), 'utf8');
  let count = 0;
  for (const [, language, snippet] of text.matchAll(BLOCK)) {
    const name = `${basename(dirname(page))}-${basename(page, '.md')}-${++count}.${language}`;
    writeFileSync(join(target, name), snippet);
  }
  if (count === 0) throw new Error(`${page} has no snippets; remove it from the list if this is intended`);
}
