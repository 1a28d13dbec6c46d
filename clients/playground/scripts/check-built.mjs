// Fails where what lies in crates/roomcast/playground is not what the sources here build: node scripts/check-built.mjs

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = fileURLToPath(new URL('../../../crates/roomcast/playground', import.meta.url));

async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = async (path) => [path.slice(folder.length + 1), await readFile(path, 'base64')];
  return new Map(await Promise.all(paths.map(read)));
}

const fresh = await mkdtemp(join(tmpdir(), 'roomcast-playground-'));
try {
  await build({ root, logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } });
  const [wanted, found] = [await files(fresh), await files(committed)];
  const stale = [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((name) => wanted.get(name) !== found.get(name))
    .sort();
  if (stale.length > 0) {
    console.error(
      `crates/roomcast/playground is stale (${stale.join(', ')}): npm run build --workspace playground`,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true });
}
