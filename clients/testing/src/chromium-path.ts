import { execFileSync } from 'node:child_process';

/** Where Chromium is: `CHROMIUM`, or what the path leads to. */
export function chromiumPath(): string {
  const given = process.env['CHROMIUM'];
  if (given !== undefined && given !== '') return given;
  return execFileSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'], {
    encoding: 'utf8',
  }).trim();
}
