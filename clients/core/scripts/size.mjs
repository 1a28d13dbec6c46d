// Says how large the package is in a page: minified, and compressed by gzip, without socket.io-client. Fails above the cap.

import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const CAP_BYTES = 7_168;

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
  `@roomcast/core: ${contents.length} bytes minified, ${compressed} bytes by gzip (cap ${CAP_BYTES})`,
);
if (compressed > CAP_BYTES) process.exitCode = 1;
