import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';

import type { RoomcastProcess } from '@roomcast/testing';

import { ROOT } from './markdown-blocks.js';

/** What a reader types, with the addresses of this test's own `dev` instead of the documented ones. */
export class Shell {
  readonly #replaced: [documented: string, here: string][];

  constructor(dev: RoomcastProcess, replaced: [documented: string, here: string][] = []) {
    const addresses: [string, string][] = [
      ['127.0.0.1:50051', dev.address('grpc')],
      ['127.0.0.1:3000', dev.address('http')],
    ];
    this.#replaced = [...addresses, ...replaced];
  }

  /** A documented text as it is to be here. */
  here(text: string): string {
    return this.#replaced.reduce((text, [documented, here]) => text.replaceAll(documented, here), text);
  }

  /** Runs commands to their end; gives what they print. */
  run(commands: string, folder = ROOT): string {
    const done = spawnSync('bash', ['-euo', 'pipefail', '-c', this.here(commands)], {
      cwd: folder,
      env: environment(),
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (done.status !== 0)
      throw new Error(`${commands}\nended with ${done.status}:\n${done.stdout}${done.stderr}`);
    return done.stdout;
  }

  /** Starts a command that goes on, and waits until it printed something; the function that it gives ends it. */
  async start(command: string, folder: string, until: RegExp): Promise<() => Promise<void>> {
    const env = environment();
    // A group of its own, since npm does not hand signals on.
    const child = spawn('bash', ['-c', this.here(command)], { cwd: folder, env, detached: true });
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const heard = (text: Buffer) => {
        printed += text.toString();
        if (until.test(printed)) resolve();
      };
      child.stdout.on('data', heard);
      child.stderr.on('data', heard);
      child.once('exit', () => reject(new Error(`${command} ended:\n${printed}`)));
    });
    return async () => {
      const ended = once(child, 'exit');
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await ended;
    };
  }
}

function environment(): NodeJS.ProcessEnv {
  const { GRPCURL, PATH = '', ...rest } = process.env;
  // What npm tells the tests is not for the npm that they start.
  const own = Object.entries(rest).filter(([name]) => !name.startsWith('npm_') && name !== 'NODE_ENV');
  const path = GRPCURL === undefined ? PATH : `${dirname(GRPCURL)}:${PATH}`;
  return { ...Object.fromEntries(own), PATH: path, NO_COLOR: '1' };
}
