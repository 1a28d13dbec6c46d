import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { DEV_SECRET } from './dev-token.js';

type Address = 'grpc' | 'http' | 'admin';

/** The timeout for printing the addresses, and for becoming ready. */
const START_TIMEOUT_MS = 20_000;

function binary(): string {
  const defaultPath = join(import.meta.dirname, '../../../target/debug/roomcast');
  const path = process.env['ROOMCAST_BIN'] ?? defaultPath;
  if (!existsSync(path)) throw new Error(`${path} does not exist: run \`cargo build\`, or set ROOMCAST_BIN`);
  return path;
}

/** The real binary, as a process on free loopback ports. */
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

  /** Starts `roomcast dev`, and waits until it accepts sockets. */
  static dev(more: string[] = []): Promise<RoomcastProcess> {
    return RoomcastProcess.start(['dev', ...freePorts('grpc', 'http', 'admin'), ...more]);
  }

  /** Starts another edge for the control plane of `controlPlane`. */
  static edge(controlPlane: RoomcastProcess, more: string[] = []): Promise<RoomcastProcess> {
    const link = ['--control-plane', `http://${controlPlane.address('grpc')}`, '--jwt-secret', DEV_SECRET];
    return RoomcastProcess.start(['edge', ...freePorts('http', 'admin'), ...link, ...more]);
  }

  /** Starts a command that keeps running, and waits until it is ready. */
  static async start(args: string[]): Promise<RoomcastProcess> {
    const started = new RoomcastProcess(args);
    try {
      await started.#readAddresses();
      await started.waitUntilReady();
      return started;
    } catch (error) {
      started.#child.kill('SIGKILL');
      throw error;
    }
  }

  /** The log until now. */
  get log(): string {
    return this.#log;
  }

  /** The URL for browsers. */
  get url(): string {
    return `http://${this.address('http')}`;
  }

  /** A listening address, such as `127.0.0.1:3000`. */
  address(name: Address): string {
    const address = this.#addresses.get(name);
    if (address === undefined) throw new Error(`${this.#args[0]} has no ${name} address`);
    return address;
  }

  /** Waits until `/readyz` succeeds. */
  async waitUntilReady(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const response = await fetch(`http://${this.address('admin')}/readyz`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${this.#args[0]} is not ready:\n${this.#log}`);
  }

  /** Stops the process and waits for its exit. Fails if the log has a line of level ERROR. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill(signal);
      await exited;
    }
    if (this.#log.includes('"level":"ERROR"'))
      throw new Error(`${this.#args[0]} logged an error:\n${this.#log}`);
  }

  /** Starts the process again with the same addresses. */
  async restart(): Promise<void> {
    for (const name of ['grpc', 'http'] as const) {
      const index = this.#args.indexOf(`--${name}-addr`);
      if (index >= 0) this.#args[index + 1] = this.address(name);
    }
    const restarted = await RoomcastProcess.start(this.#args);
    this.#child = restarted.#child;
    this.#addresses = restarted.#addresses;
    restarted.#child.stderr?.on('data', (text: Buffer) => (this.#log += text.toString()));
  }

  async #readAddresses(): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the process has no stdout');
    // The last line that the command prints when it starts.
    const lastLine = this.#args[0] === 'dev' ? 'grpcurl ' : 'admin ';
    const timeout = setTimeout(() => this.#child.kill('SIGKILL'), START_TIMEOUT_MS);
    try {
      for await (const line of createInterface({ input: stdout })) {
        const [name = '', address = ''] = line.split(/\s+/);
        if (/:\d+$/.test(address)) this.#addresses.set(name, address);
        if (line.startsWith(lastLine)) return;
      }
    } finally {
      clearTimeout(timeout);
      // Keep reading, so that the process never blocks on a full pipe.
      stdout.resume();
    }
    throw new Error(`roomcast ${this.#args.join(' ')} exited:\n${this.#log}`);
  }
}

function freePorts(...names: Address[]): string[] {
  return names.flatMap((name) => [`--${name}-addr`, '127.0.0.1:0']);
}
