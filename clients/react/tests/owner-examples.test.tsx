import { act, fireEvent, render, screen } from '@testing-library/react';
import { devToken } from '@roomcast/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { App } from './owner/App.jsx';
import { Debugging } from './owner/components/debugging.js';
import { MyComponent } from './owner/components/MyComponent.jsx';
import { SocketProvider } from './owner/contexts/SocketContext.js';
import { dev, setPageUrl } from './dev.js';
import { SessionStatus } from './session-status.js';

const participants = { alice: 'interviewer', bob: 'interviewee' };
const logged = vi.spyOn(console, 'log');

beforeEach(async () => {
  // The documented provider has no `url`, so it connects to the origin of the page.
  setPageUrl(dev.url);
  logged.mockReset().mockImplementation(() => {});
  await dev.backend.publish('my-session-id', 'scheduled', participants);
});

afterEach(() => vi.unstubAllGlobals());

test('the documented App connects while it is mounted', async () => {
  vi.stubGlobal('userToken', devToken('alice'));
  const { unmount } = render(<App />);
  await dev.waitForSockets(1);
  unmount();
  await dev.waitForSockets(0);
});

test('the documented component shows that it is connected, and logs events', async () => {
  render(
    <SocketProvider token={devToken('alice')}>
      <MyComponent />
      <SessionStatus id="my-session-id" />
    </SocketProvider>,
  );
  expect(screen.getByText('Статус соединения: Отключено')).toBeTruthy();
  await screen.findByText('Статус соединения: Подключено');

  await screen.findByText('my-session-id: joined');
  await dev.backend.publish('my-session-id', 'running', undefined, { topic: 'Rust' });
  await expectLog('Сессия обновлена:', {
    sessionId: 'my-session-id',
    session: {
      id: 'my-session-id',
      status: 'running',
      participants: [
        { userId: 'alice', role: 'interviewer' },
        { userId: 'bob', role: 'interviewee' },
      ],
      topic: 'Rust',
    },
  });
  await dev.backend.updateFeedback('my-session-id', 'f1', { score: 5 }, { newFeedback: { by: 'bob' } });
  await expectLog('Обратная связь обновлена:', {
    sessionId: 'my-session-id',
    feedbackId: 'f1',
    updates: { score: 5 },
    newFeedback: { by: 'bob' },
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
  });
  expect(logged).toHaveBeenCalledTimes(2);
});

test('the documented button sends its event, and the connection continues', async () => {
  render(
    <SocketProvider token={devToken('alice')}>
      <MyComponent />
      <Debugging />
    </SocketProvider>,
  );
  await screen.findByText('Статус соединения: Подключено');
  act(() => void fireEvent.click(screen.getByText('Выполнить действие')));
  await expectLog('Получено событие: session-error', [
    { sessionId: null, code: 'bad_request', message: expect.any(String) as string },
    expect.any(String) as string,
  ]);
  expect(screen.getByText('Статус соединения: Подключено')).toBeTruthy();
});

test('the documented debugging code logs every received event with its arguments', async () => {
  render(
    <SocketProvider token={devToken('bob')}>
      <MyComponent />
      <Debugging />
    </SocketProvider>,
  );
  await expectLog('Получено событие: session-joined', [
    { sessionId: 'my-session-id', role: 'interviewee' },
    expect.any(String) as string,
  ]);
  await dev.backend.requireFeedback('my-session-id', ['bob']);
  await expectLog('Получено событие: feedback-required', [
    { sessionId: 'my-session-id' },
    expect.any(String) as string,
  ]);
});

async function expectLog(...args: unknown[]): Promise<void> {
  await vi.waitFor(() => expect(logged).toHaveBeenCalledWith(...args), 10_000);
}
