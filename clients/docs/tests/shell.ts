import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';

import type { RoomcastProcess } from '@roomcast/testing';

import { ROOT } from './markdown-blocks.js';

/** Runs documented commands, with the addresses of the test's `roomcast dev` instead of the documented ones. */
export class Shell {
  readonly #replacements: [documented: string, local: string][];

  constructor(dev: RoomcastProcess, replacements: [documented: string, local: string][] = []) {
    const addresses: [string, string][] = [
      ['127.0.0.1:50051', dev.address('grpc')],
      ['127.0.0.1:3000', dev.address('http')],
    ];
    this.#replacements = [...addresses, ...replacements];
  }

  /** Applies the replacements to a documented text. */
  localize(text: string): string {
    return this.#replacements.reduce((text, [documented, local]) => text.replaceAll(documented, local), text);
  }

  /** Runs commands until they exit. Returns their standard output. */
  run(commands: string, folder = ROOT): string {
    const result = spawnSync('bash', ['-euo', 'pipefail', '-c', this.localize(commands)], {
      cwd: folder,
      env: environment(),
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (result.status !== 0)
      throw new Error(`${commands}\nexited with ${result.status}:\n${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  /** Starts a command and waits until its output matches `until`. The returned function stops the command. */
  async start(command: string, folder: string, until: RegExp): Promise<() => Promise<void>> {
    const env = environment();
    // A separate process group, because npm does not forward signals.
    const child = spawn('bash', ['-c', this.localize(command)], { cwd: folder, env, detached: true });
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const read = (text: Buffer) => {
        printed += text.toString();
        if (until.test(printed)) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(`${command} exited:\n${printed}`)));
    });
    return async () => {
      const exited = once(child, 'exit');
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await exited;
    };
  }
}

function environment(): NodeJS.ProcessEnv {
  const { GRPCURL, PATH = '', ...rest } = process.env;
  // The variables that npm sets for the tests must not affect the npm that they start.
  const variables = Object.entries(rest).filter(([name]) => !name.startsWith('npm_') && name !== 'NODE_ENV');
  const path = GRPCURL === undefined ? PATH : `${dirname(GRPCURL)}:${PATH}`;
  return { ...Object.fromEntries(variables), PATH: path, NO_COLOR: '1' };
}
