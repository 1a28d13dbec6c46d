// Things to try, in the order in which they tell a story. Each is done when it was seen to happen.

import { useState } from 'react';

import { useStore } from '../store';
import type { Visitor } from '../browsers/simulated-browser';
import { useWorkshop, type Workshop } from '../playground-session';
import { CheckIcon, CrossIcon } from './icons';

interface Step {
  readonly title: string;
  readonly text: string;
  readonly act: string;
  readonly run: (workshop: Workshop) => void;
  readonly seen: (workshop: Workshop, visitors: readonly Visitor[]) => boolean;
}

const STEPS: readonly Step[] = [
  {
    title: 'Tell everybody',
    text: 'Publish that the interview runs. Each browser gets session-updated.',
    act: 'Set it running',
    run: (workshop) => void workshop.setStatus('running'),
    seen: (_, visitors) => visitors.some((one) => told(one, 'session-updated')),
  },
  {
    title: 'Miss something',
    text: 'Cut one browser off for 5 s, publish meanwhile, and see it replayed.',
    act: 'Cut and publish',
    run: (workshop) => void missSomething(workshop),
    seen: (_, visitors) =>
      visitors.some((one) =>
        one.log.lines.read().some((line) => line.kind === 'told' && line.arrival === 'replayed'),
      ),
  },
  {
    title: 'Ask for feedback',
    text: 'It stays due, over reloads and reconnections, until it is given.',
    act: 'Ask everybody',
    run: (workshop) =>
      void workshop.call('Ask everybody for feedback', 'RequireFeedback', { sessionId: workshop.session }),
    seen: (_, visitors) => visitors.some((one) => told(one, 'feedback-required')),
  },
  {
    title: 'Come back by another edge',
    text: 'A second edge starts; one browser goes there, and nothing is missed.',
    act: 'Move one',
    run: (workshop) => void lastOf(workshop)?.move(),
    seen: (_, visitors) => visitors.some(cameByAnother),
  },
  {
    title: 'Reload',
    text: 'The page keeps its positions, and goes on from there.',
    act: 'Reload the page',
    run: () => location.reload(),
    seen: (_, visitors) => visitors.some((one) => one.log.reloaded),
  },
];

const KEY = 'roomcast-playground:tour-closed';

export function Tour() {
  const workshop = useWorkshop();
  const visitors = useStore(workshop.crowd.visitors);
  const known = useStore(workshop.record.known);
  useStore(workshop.crowd.changes);
  const [closed, setClosed] = useState(() => sessionStorage.getItem(KEY) !== null);
  if (closed || visitors.length === 0 || known.state !== 'known') return null;
  const done = STEPS.map((step) => step.seen(workshop, visitors));
  const next = done.indexOf(false);

  const close = () => {
    sessionStorage.setItem(KEY, 'yes');
    setClosed(true);
  };

  return (
    <section className="tour" aria-labelledby="tour-title">
      <div className="tour-head">
        <h2 id="tour-title">Things to try</h2>
        <button
          type="button"
          className="button quiet icon-only"
          onClick={close}
          aria-label="Close the things to try"
        >
          <CrossIcon />
        </button>
      </div>
      <ol>
        {STEPS.map((step, at) => (
          <li key={step.title} data-done={done[at]} data-next={at === next}>
            <span className="tour-mark" aria-hidden="true">
              {done[at] === true ? <CheckIcon /> : at + 1}
            </span>
            <h3>
              {step.title}
              {done[at] === true && <span className="unseen"> (done)</span>}
            </h3>
            <p>{step.text}</p>
            <button type="button" className="button small" onClick={() => step.run(workshop)}>
              {step.act}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function told(visitor: Visitor, name: string): boolean {
  return visitor.log.lines.read().some((line) => line.kind === 'told' && line.name === name);
}

function cameByAnother(visitor: Visitor): boolean {
  return visitor.log.lines
    .read()
    .some((line) => line.kind === 'turn' && line.text.startsWith('Back by edge B'));
}

function lastOf(workshop: Workshop): Visitor | undefined {
  return workshop.crowd.visitors.read().at(-1);
}

async function missSomething(workshop: Workshop): Promise<void> {
  lastOf(workshop)?.cut();
  const known = workshop.record.known.read();
  const status = known.state === 'known' ? known.status : 'running';
  for (const round of ['First question', 'Second question']) {
    const attributes = known.state === 'known' ? { ...known.attributes, round } : { round };
    const session = { id: workshop.session, status, attributes };
    await workshop.call(`Publish: ${round.toLowerCase()}`, 'PublishSessionUpdate', { session });
  }
}
