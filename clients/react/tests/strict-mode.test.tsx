import { useSession, useSocket } from '@roomcast/react';
import { devToken } from '@roomcast/testing';
import { expect, test, vi } from 'vitest';

import { dev } from './dev.js';
import { renderInProvider } from './render-in-provider.js';

// In a separate file, so that no other test has connected to this edge.
test('under StrictMode there is one connection without an extra handshake, and none after unmounting', async () => {
  await dev.backend.publish('strict', 'running', { alice: 'observer' });
  const props = { url: dev.url, token: devToken('alice') };
  const page = renderInProvider(() => ({ ...useSocket(), ...useSession('strict') }), props, true);
  await vi.waitFor(() => expect(page.current).toMatchObject({ connected: true, status: 'joined' }), 10_000);
  await vi.waitFor(() => expect(page.current.socket?.io.engine.transport.name).toBe('websocket'), 10_000);
  await expect.poll(() => dev.count('transports'), { timeout: 10_000 }).toBe(1);
  expect(await dev.count('sockets')).toBe(1);
  page.unmount();
  await dev.waitForSockets(0);
});
