import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { expect, test } from 'vitest';

import { ROOT } from './markdown-blocks.js';

const PAGES = [
  ...['', 'docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(ROOT, folder, name)),
  ),
];

test('every link between pages has an existing target', () => {
  const broken: string[] = [];
  for (const page of PAGES) {
    for (const [, target = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      const isValid = existsSync(file) && (anchor === undefined || anchors(file).has(anchor));
      if (!isValid) broken.push(`${relative(ROOT, page)}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

/** A page without its code blocks. */
function prose(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *```[^]*?^ *```$/gm, '');
}

/** The anchors that GitHub generates for a page's headings. */
function anchors(page: string): Set<string> {
  const headings = [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}
