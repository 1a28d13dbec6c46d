import { StrictMode, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { render, screen } from '@testing-library/react';
import { createRoomcast } from '@roomcast/core';
import { devToken } from '@roomcast/testing';
import { beforeEach, expect, test, vi } from 'vitest';

import { dev } from './dev.js';
import { FIRST, Page, type Seen } from './page.js';

let seen: Seen;

beforeEach(async () => {
  seen = { clients: [], sockets: [], updates: [] };
  await dev.backend.publish('page', 'before', { alice: 'interviewer' });
});

/** Hydrates what a server rendered; gives that, and what React could not make fit. */
function hydrated(page: ReactElement): { before: string; unfit: unknown[] } {
  const container = document.body.appendChild(document.createElement('div'));
  const before = renderToString(page);
  container.innerHTML = before;
  seen.sockets.length = 0;
  const unfit: unknown[] = [];
  render(page, { container, hydrate: true, onRecoverableError: (error) => void unfit.push(error) });
  return { before, unfit };
}

test.each([
  ['a page', (page: ReactElement) => page],
  ['a page under StrictMode', (page: ReactElement) => <StrictMode>{page}</StrictMode>],
])('%s hydrates without a warning, and then connects', async (_, wrapped) => {
  const page = <Page url={dev.url} token={devToken('alice')} seen={seen} />;
  const { unfit, before } = hydrated(wrapped(page));
  expect(before).toBe(FIRST);
  await screen.findByText('on connected joined 1');
  expect(seen.sockets[0]).toBe(false);
  expect(seen.sockets.at(-1)).toBe(true);
  expect(unfit).toEqual([]);
  await dev.holds(1);
});

test('what the first effects of a hydration subscribe to is heard, once', async () => {
  hydrated(<Page url={dev.url} token={devToken('alice')} seen={seen} />);
  await screen.findByText('on connected joined 1');
  await dev.backend.publish('page', 'after');
  await vi.waitFor(() => expect(seen.updates).toHaveLength(1), 10_000);
});

test('a connection of the page’s own that is up already does not disturb the hydration', async () => {
  const client = createRoomcast({ url: dev.url, token: devToken('alice') });
  client.connect();
  client.join('page');
  await vi.waitFor(() => expect(client.session('page').state.status).toBe('joined'), 10_000);
  const { before, unfit } = hydrated(<Page client={client} seen={seen} />);
  expect(before).toBe(FIRST);
  await screen.findByText('on connected joined 1');
  expect(seen.sockets[0]).toBe(false);
  expect(unfit).toEqual([]);
  client.close();
});
