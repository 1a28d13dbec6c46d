import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A Redis server for one test, without persistence. */
export class RedisProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Starts Redis on a free loopback port, and waits until it accepts connections. */
  static async start(): Promise<RedisProcess> {
    const port = await freePort();
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let log = '';
    for await (const line of createInterface({ input: child.stdout })) {
      log += `${line}\n`;
      if (!line.includes('Ready to accept connections')) continue;
      child.stdout.resume();
      return new RedisProcess(child, `redis://127.0.0.1:${port}`);
    }
    throw new Error(`redis-server exited:\n${log}`);
  }

  /** Deletes all data. */
  async flush(): Promise<void> {
    const connection = connect(Number(new URL(this.url).port), '127.0.0.1');
    connection.write('FLUSHALL\r\n');
    const [reply] = (await once(connection, 'data')) as [Buffer];
    connection.destroy();
    if (reply.toString() !== '+OK\r\n') throw new Error(`FLUSHALL: ${reply.toString()}`);
  }

  /** Stops responding until `resume()`. The data is kept. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Responds again. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
