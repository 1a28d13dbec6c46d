import { afterEach, beforeEach, expect, vi } from 'vitest';
import { cleanup, configure } from '@testing-library/react';
import type { Backend, RoomcastProcess } from '@roomcast/testing';
import { backend, dev as running } from '@roomcast/testing/dev';

// Machines that build at the same time take their time.
configure({ asyncUtilTimeout: 10_000 });

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

/** The `roomcast dev` of a file of tests, and what its edge holds. */
export const dev = {
  get url(): string {
    return running.url;
  },
  get process(): RoomcastProcess {
    return running;
  },
  get backend(): Backend {
    return backend;
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
