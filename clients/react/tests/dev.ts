import { afterEach, beforeEach, expect, vi } from 'vitest';
import { cleanup, configure } from '@testing-library/react';
import type { Backend, RoomcastProcess } from '@roomcast/testing';
import { backend, dev as running } from '@roomcast/testing/dev';

// A machine that also runs a build is slow.
configure({ asyncUtilTimeout: 10_000 });

const errors = vi.spyOn(console, 'error');

beforeEach(() => {
  errors.mockClear();
});

afterEach(() => {
  cleanup();
  // The next test represents another tab, which has no saved positions.
  sessionStorage.clear();
  // React reports its warnings with console.error.
  expect(errors).not.toHaveBeenCalled();
});

/** The `roomcast dev` of a test file, and the metrics of its edge. */
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
  /** Returns how many sockets, or transports of sockets, the edge has. */
  async count(what: 'sockets' | 'transports'): Promise<number> {
    const response = await fetch(`http://${dev.process.address('admin')}/metrics`);
    const match = new RegExp(`^roomcast_edge_${what} (\\d+)$`, 'm').exec(await response.text());
    return Number(match?.[1]);
  },
  /** Waits until the edge has this many sockets. */
  async waitForSockets(sockets: number): Promise<void> {
    await expect.poll(() => dev.count('sockets'), { timeout: 10_000 }).toBe(sockets);
  },
};

/** Sets the URL of the test's page. */
export function setPageUrl(url: string): void {
  const { happyDOM } = window as unknown as { happyDOM: { setURL(url: string): void } };
  happyDOM.setURL(url);
}
