import { StrictMode, type ReactElement } from 'react';
import { renderToString } from 'react-dom/server';
import { render, screen } from '@testing-library/react';
import { createRoomcast } from '@roomcast/core';
import { devToken } from '@roomcast/testing';
import { beforeEach, expect, test, vi } from 'vitest';

import { dev } from './dev.js';
import { FIRST_RENDER, Page, type Observed } from './page.js';

let observed: Observed;

beforeEach(async () => {
  observed = { clients: [], sockets: [], updates: [] };
  await dev.backend.publish('page', 'before', { alice: 'interviewer' });
});

/** Hydrates the server's render. Returns that render, and the errors from which React recovered. */
function hydrate(page: ReactElement): { serverRender: string; errors: unknown[] } {
  const container = document.body.appendChild(document.createElement('div'));
  const serverRender = renderToString(page);
  container.innerHTML = serverRender;
  observed.sockets.length = 0;
  const errors: unknown[] = [];
  render(page, { container, hydrate: true, onRecoverableError: (error) => void errors.push(error) });
  return { serverRender, errors };
}

test.each([
  ['a page', (page: ReactElement) => page],
  ['a page under StrictMode', (page: ReactElement) => <StrictMode>{page}</StrictMode>],
])('%s hydrates without a warning and then connects', async (_, wrap) => {
  const page = <Page url={dev.url} token={devToken('alice')} observed={observed} />;
  const { errors, serverRender } = hydrate(wrap(page));
  expect(serverRender).toBe(FIRST_RENDER);
  await screen.findByText('on connected joined 1');
  expect(observed.sockets[0]).toBe(false);
  expect(observed.sockets.at(-1)).toBe(true);
  expect(errors).toEqual([]);
  await dev.waitForSockets(1);
});

test('a subscription in the first effects of a hydration receives each event once', async () => {
  hydrate(<Page url={dev.url} token={devToken('alice')} observed={observed} />);
  await screen.findByText('on connected joined 1');
  await dev.backend.publish('page', 'after');
  await vi.waitFor(() => expect(observed.updates).toHaveLength(1), 10_000);
});

test('the page’s own client may be connected before the hydration', async () => {
  const client = createRoomcast({ url: dev.url, token: devToken('alice') });
  client.connect();
  client.join('page');
  await vi.waitFor(() => expect(client.session('page').getSnapshot().status).toBe('joined'), 10_000);
  const { serverRender, errors } = hydrate(<Page client={client} observed={observed} />);
  expect(serverRender).toBe(FIRST_RENDER);
  await screen.findByText('on connected joined 1');
  expect(observed.sockets[0]).toBe(false);
  expect(errors).toEqual([]);
  client.close();
});
