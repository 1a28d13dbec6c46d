// Prints the size of the package, minified and compressed by gzip, without socket.io-client. Fails above the limit.

import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const LIMIT_BYTES = 7_168;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../src/index.ts', import.meta.url))],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  external: ['socket.io-client'],
});
const [{ contents }] = outputFiles;
const compressed = gzipSync(contents, { level: 9 }).length;
console.log(
  `@roomcast/core: ${contents.length} bytes minified, ${compressed} bytes by gzip (limit ${LIMIT_BYTES})`,
);
if (compressed > LIMIT_BYTES) process.exitCode = 1;
