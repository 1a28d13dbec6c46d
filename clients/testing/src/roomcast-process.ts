import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { DEV_SECRET } from './dev-token.js';

type Address = 'grpc' | 'http' | 'admin';

/** How long a process may take to say where it listens, and to be ready. */
const PATIENCE_MS = 20_000;

function binary(): string {
  const built = join(import.meta.dirname, '../../../target/debug/roomcast');
  const path = process.env['ROOMCAST_BIN'] ?? built;
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`cargo build\`, or set ROOMCAST_BIN`);
  return path;
}

/** The real binary, as a process on free ports of loopback. */
export class RoomcastProcess {
  #args: string[];
  #child: ChildProcess;
  #log = '';
  #addresses = new Map<string, string>();

  private constructor(args: string[]) {
    this.#args = args;
    this.#child = spawn(binary(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => (this.#log += text.toString()));
  }

  /** Starts `roomcast dev`, and waits until it takes sockets. */
  static dev(more: string[] = []): Promise<RoomcastProcess> {
    return RoomcastProcess.start(['dev', ...freePorts('grpc', 'http', 'admin'), ...more]);
  }

  /** Starts one more edge of a process that has a control plane. */
  static edge(of: RoomcastProcess, more: string[] = []): Promise<RoomcastProcess> {
    const link = ['--control-plane', `http://${of.address('grpc')}`, '--jwt-secret', DEV_SECRET];
    return RoomcastProcess.start(['edge', ...freePorts('http', 'admin'), ...link, ...more]);
  }

  /** Starts any command that runs, and waits until it is ready. */
  static async start(args: string[]): Promise<RoomcastProcess> {
    const started = new RoomcastProcess(args);
    try {
      await started.#listens();
      await started.ready();
      return started;
    } catch (error) {
      started.#child.kill('SIGKILL');
      throw error;
    }
  }

  /** What it logged so far. */
  get log(): string {
    return this.#log;
  }

  /** Where browsers connect. */
  get url(): string {
    return `http://${this.address('http')}`;
  }

  /** Where it listens, such as `127.0.0.1:3000`. */
  address(name: Address): string {
    const found = this.#addresses.get(name);
    if (found === undefined) throw new Error(`${this.#args[0]} does not listen at ${name}`);
    return found;
  }

  /** Waits until it says that it is ready. */
  async ready(): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      const answer = await fetch(`http://${this.address('admin')}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${this.#args[0]} is not ready:\n${this.#log}`);
  }

  /** Ends it, and waits for that. A line of level ERROR in its log is a failure. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    if (this.#log.includes('"level":"ERROR"'))
      throw new Error(`${this.#args[0]} logged an error:\n${this.#log}`);
  }

  /** Starts it again where it was, so that whoever knew its addresses finds it. */
  async startAgain(): Promise<void> {
    for (const name of ['grpc', 'http'] as const) {
      const at = this.#args.indexOf(`--${name}-addr`);
      if (at >= 0) this.#args[at + 1] = this.address(name);
    }
    const again = await RoomcastProcess.start(this.#args);
    this.#child = again.#child;
    this.#addresses = again.#addresses;
    again.#child.stderr?.on('data', (text: Buffer) => (this.#log += text.toString()));
  }

  async #listens(): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('stdout is a pipe');
    const last = this.#args[0] === 'dev' ? 'grpcurl ' : 'admin ';
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    try {
      for await (const line of createInterface({ input: stdout })) {
        const [name = '', address = ''] = line.split(/\s+/);
        if (/:\d+$/.test(address)) this.#addresses.set(name, address);
        if (line.startsWith(last)) return;
      }
    } finally {
      clearTimeout(patience);
      // Read on, so that it never waits for room in the pipe.
      stdout.resume();
    }
    throw new Error(`roomcast ${this.#args.join(' ')} ended:\n${this.#log}`);
  }
}

function freePorts(...names: Address[]): string[] {
  return names.flatMap((name) => [`--${name}-addr`, '127.0.0.1:0']);
}
