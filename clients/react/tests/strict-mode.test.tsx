import { useSession, useSocket } from '@roomcast/react';
import { devToken } from '@roomcast/testing';
import { expect, test, vi } from 'vitest';

import { dev } from './dev.js';
import { provided } from './render-in-provider.js';

// In a file of its own, so that its edge has seen nobody else.
test('under StrictMode there is one connection, not even the handshake of another, and none after unmounting', async () => {
  await dev.backend.publish('strict', 'running', { alice: 'observer' });
  const props = { url: dev.url, token: devToken('alice') };
  const page = provided(() => ({ ...useSocket(), ...useSession('strict') }), props, true);
  await vi.waitFor(() => expect(page.current).toMatchObject({ connected: true, status: 'joined' }), 10_000);
  await vi.waitFor(() => expect(page.current.socket?.io.engine.transport.name).toBe('websocket'), 10_000);
  await expect.poll(() => dev.held('transports'), { timeout: 10_000 }).toBe(1);
  expect(await dev.held('sockets')).toBe(1);
  page.unmount();
  await dev.holds(0);
});
