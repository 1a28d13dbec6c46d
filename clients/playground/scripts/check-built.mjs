// Fails if crates/roomcast/playground is not the build of these sources: node scripts/check-built.mjs

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = fileURLToPath(new URL('../../../crates/roomcast/playground', import.meta.url));

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (path) => [path.slice(folder.length + 1), await readFile(path, 'base64')];
  return new Map(await Promise.all(paths.map(read)));
}

const output = await mkdtemp(join(tmpdir(), 'roomcast-playground-'));
try {
  await build({ root, logLevel: 'warn', build: { outDir: output, emptyOutDir: true } });
  const [expected, actual] = [await filesIn(output), await filesIn(committed)];
  const stale = [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((name) => expected.get(name) !== actual.get(name))
    .sort();
  if (stale.length > 0) {
    console.error(
      `crates/roomcast/playground is not up to date (${stale.join(', ')}): run \`npm run build --workspace playground\``,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(output, { recursive: true });
}
