// Things to try. A step is done when a browser shows its effect.

import { useState } from 'react';

import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { CheckIcon, CrossIcon } from './icons';
import { TOUR_STEPS } from './tour-steps';

const KEY = 'roomcast-playground:tour-closed';

export function Tour() {
  const session = usePlaygroundSession();
  const browsers = useStore(session.browsers.open);
  const record = useStore(session.record.state);
  useStore(session.browsers.changes);
  const [isClosed, setClosed] = useState(() => sessionStorage.getItem(KEY) !== null);
  if (isClosed || browsers.length === 0 || record.status !== 'loaded') return null;
  const done = TOUR_STEPS.map((step) => step.isDone(browsers));
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
        {TOUR_STEPS.map((step, index) => (
          <li key={step.title} data-done={done[index]} data-next={index === next}>
            <span className="tour-mark" aria-hidden="true">
              {done[index] === true ? <CheckIcon /> : index + 1}
            </span>
            <h3>
              {step.title}
              {done[index] === true && <span className="visually-hidden"> (done)</span>}
            </h3>
            <p>{step.text}</p>
            <button type="button" className="button small" onClick={() => step.run(session)}>
              {step.action}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
