import { execFileSync } from 'node:child_process';

/** The path of Chromium: the environment variable `CHROMIUM`, or the first one on the PATH. */
export function chromiumPath(): string {
  const configured = process.env['CHROMIUM'];
  if (configured !== undefined && configured !== '') return configured;
  return execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {
    encoding: 'utf8',
  }).trim();
}
