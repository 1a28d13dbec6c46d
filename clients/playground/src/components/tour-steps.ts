// The steps of the tour, in the order in which they explain Roomcast.

import type { SimulatedBrowser } from '../browsers/simulated-browser';
import type { PlaygroundSession } from '../playground-session';

export interface TourStep {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly run: (session: PlaygroundSession) => void;
  // Whether a browser shows the effect of this step.
  readonly isDone: (browsers: readonly SimulatedBrowser[]) => boolean;
}

export const TOUR_STEPS: readonly TourStep[] = [
  {
    title: 'Publish an update',
    text: 'Publish that the interview is running. Each browser receives session-updated.',
    action: 'Set to running',
    run: (session) => void session.setStatus('running'),
    isDone: (browsers) => hasReceived(browsers, 'session-updated'),
  },
  {
    title: 'Miss events',
    text: 'Cut one connection for 5 s, publish in the meantime, and see the replay.',
    action: 'Cut and publish',
    run: (session) => void missEvents(session),
    isDone: (browsers) =>
      browsers.some((browser) => browser.log.hasEvent(({ arrival }) => arrival === 'replayed')),
  },
  {
    title: 'Require feedback',
    text: 'It stays pending over reloads and reconnections until it is submitted.',
    action: 'Require from everyone',
    run: (session) =>
      void session.call('Require feedback of everyone', 'RequireFeedback', { sessionId: session.id }),
    isDone: (browsers) => hasReceived(browsers, 'feedback-required'),
  },
  {
    title: 'Move to another edge',
    text: 'A second edge starts. One browser reconnects to it and misses no event.',
    action: 'Move one browser',
    run: (session) => void lastBrowser(session)?.moveToOtherEdge(),
    isDone: (browsers) => browsers.some(hasUsedSecondEdge),
  },
  {
    title: 'Reload',
    text: 'The page saves its positions and continues from them.',
    action: 'Reload the page',
    run: () => location.reload(),
    isDone: (browsers) => browsers.some((browser) => browser.log.isRestored),
  },
];

function hasReceived(browsers: readonly SimulatedBrowser[], event: string): boolean {
  return browsers.some((browser) => browser.log.hasEvent(({ name }) => name === event));
}

function hasUsedSecondEdge(browser: SimulatedBrowser): boolean {
  return browser.log.entries
    .getSnapshot()
    .some((entry) => entry.kind === 'connection' && entry.edge === 'edge B');
}

function lastBrowser(session: PlaygroundSession): SimulatedBrowser | undefined {
  return session.browsers.open.getSnapshot().at(-1);
}

async function missEvents(session: PlaygroundSession): Promise<void> {
  lastBrowser(session)?.cut();
  const record = session.record.state.getSnapshot();
  const status = record.status === 'loaded' ? record.session.status : 'running';
  const attributes = record.status === 'loaded' ? record.session.attributes : {};
  for (const round of ['First question', 'Second question']) {
    const update = { id: session.id, status, attributes: { ...attributes, round } };
    await session.call(`Publish: ${round.toLowerCase()}`, 'PublishSessionUpdate', { session: update });
  }
}
