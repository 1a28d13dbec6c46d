// Writes each snippet of the docs and of the packages' READMEs into a file of its own below dist/snippets, for the compiler.
// What has a file's name is run by a test instead.

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
  if (count === 0) throw new Error(`${page} has no snippets: is that so?`);
}
