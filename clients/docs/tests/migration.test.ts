import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { devToken, RoomcastProcess } from '@roomcast/testing';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { blocksOf, ROOT, onlyBlock } from './markdown-blocks.js';
import { Shell } from './shell.js';

const PAGE = 'docs/migration.md';
// Inside the workspaces, so that Node.js finds the packages that the page installs.
const DIST = join(import.meta.dirname, '../dist');

let dev: RoomcastProcess;
let folder: string;

beforeAll(async () => {
  dev = await RoomcastProcess.dev();
  mkdirSync(DIST, { recursive: true });
  folder = mkdtempSync(join(DIST, 'migration-'));
});

afterAll(async () => {
  await dev?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('each documented call sends the same event to browsers as the emit that it replaces', async () => {
  const shell = new Shell(dev);
  const [create, ...others] = blocksOf(PAGE).filter(({ language, info }) => language === 'sh' && info === '');
  if (create === undefined) throw new Error(`${PAGE} has no calls`);
  shell.run(create.text);

  const alice = await StockPage.open('alice');
  const carol = await StockPage.open('carol');
  for (const { text } of others) shell.run(text);
  await carol.disconnected;
  await alice.waitFor('feedback-updated');
  expect(alice.events).toEqual([
    ['session-joined', { sessionId: 'demo', role: 'interviewer' }],
    ['role-selected', { sessionId: 'demo', userId: 'carol', role: 'observer' }],
    ['feedback-required', { sessionId: 'demo' }],
    ['feedback-updated', update('f1', { score: 5 }, { id: 'f1', score: 5 })],
  ]);
  // Bob is removed. The other participants receive no event, but the session shows the removal.
  expect(shell.run(others.at(-1)?.text ?? '')).not.toContain('"bob"');

  for (const name of ['roomcast.js', 'example.js']) {
    writeFileSync(join(folder, name), shell.localize(onlyBlock(blocksOf(PAGE), 'js', name).text));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  cpSync(join(ROOT, 'proto'), join(folder, 'roomcast-proto'), { recursive: true });
  alice.events.length = 0;
  shell.run('node example.js', folder);
  await alice.waitFor('feedback-updated');
  const session = {
    id: 'demo',
    status: 'running',
    participants: [
      { userId: 'alice', role: 'interviewer' },
      { userId: 'bob', role: 'interviewee' },
    ],
    topic: 'Rust',
    tags: ['live', 2, true, null],
  };
  expect(alice.events).toEqual([
    ['session-updated', { sessionId: 'demo', session }],
    ['role-selected', { sessionId: 'demo', userId: 'carol', role: 'observer' }],
    ['feedback-required', { sessionId: 'demo' }],
    ['feedback-updated', update('f2', {}, { id: 'f2', author: 'alice', score: 4 })],
  ]);
  alice.close();
  carol.close();
});

function update(feedbackId: string, updates: object, newFeedback: object) {
  const timestamp: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return { sessionId: 'demo', feedbackId, updates, newFeedback, timestamp };
}

/** A page with the stock client, and the events that it received. */
class StockPage {
  readonly events: [name: string, payload: unknown][] = [];
  readonly disconnected: Promise<void>;
  readonly #socket;

  private constructor(user: string) {
    this.#socket = io(dev.url, { auth: { token: devToken(user) }, forceNew: true });
    this.#socket.onAny((name: string, payload: unknown) => this.events.push([name, payload]));
    this.disconnected = new Promise((resolve) => {
      this.#socket.on('disconnect', (reason) => reason === 'io server disconnect' && resolve());
    });
  }

  /** Connects, and sends a join request, which may be denied. */
  static async open(user: string): Promise<StockPage> {
    const page = new StockPage(user);
    await new Promise<void>((resolve) => page.#socket.on('connect', resolve));
    await page.#socket.timeout(10_000).emitWithAck('join-session', 'demo');
    return page;
  }

  /** Waits until an event of this name was received. */
  async waitFor(name: string): Promise<void> {
    if (this.events.some(([received]) => received === name)) return;
    await new Promise((resolve) => this.#socket.once(name, resolve));
  }

  close(): void {
    this.#socket.disconnect();
  }
}
