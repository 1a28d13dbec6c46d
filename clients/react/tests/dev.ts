import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { cleanup, configure } from '@testing-library/react';
import { Backend, RoomcastProcess } from '@roomcast/testing';

let running: RoomcastProcess | undefined;
let calls: Backend | undefined;

// Machines that build at the same time take their time.
configure({ asyncUtilTimeout: 10_000 });

beforeAll(async () => {
  running = await RoomcastProcess.dev();
  calls = Backend.of(running);
});

const errors = vi.spyOn(console, 'error');

beforeEach(() => {
  errors.mockClear();
});

afterEach(() => {
  cleanup();
  // The next test is another tab, which resumes nothing.
  sessionStorage.clear();
  // React warns there.
  expect(errors).not.toHaveBeenCalled();
});

afterAll(async () => {
  calls?.close();
  await running?.stop();
});

/** The `roomcast dev` of a file of tests, started before the first one and ended after the last one. */
export const dev = {
  get url(): string {
    return started(running).url;
  },
  get process(): RoomcastProcess {
    return started(running);
  },
  get backend(): Backend {
    return started(calls);
  },
  /** How many sockets, or transports of sockets, its edge holds. */
  async held(what: 'sockets' | 'transports'): Promise<number> {
    const answer = await fetch(`http://${dev.process.address('admin')}/metrics`);
    const found = new RegExp(`^roomcast_edge_${what} (\\d+)$`, 'm').exec(await answer.text());
    return Number(found?.[1]);
  },
  /** Waits until its edge holds that many sockets. */
  async holds(sockets: number): Promise<void> {
    await expect.poll(() => dev.held('sockets'), { timeout: 10_000 }).toBe(sockets);
  },
};

/** Makes the test's page one of this address. */
export function moveTo(url: string): void {
  const { happyDOM } = window as unknown as { happyDOM: { setURL(url: string): void } };
  happyDOM.setURL(url);
}

function started<T>(actor: T | undefined): T {
  if (actor === undefined) throw new Error('roomcast dev runs only while tests do');
  return actor;
}
