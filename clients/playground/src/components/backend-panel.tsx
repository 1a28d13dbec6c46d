// The backend: a form for each call, and the history of all calls.

import { useState } from 'react';

import { ACTIONS } from '../backend/actions';
import type { Method } from '../backend/requests';
import { ActionForm } from './action-form';
import { CallList } from './call-list';

export function BackendPanel() {
  const [method, setMethod] = useState<Method>('PublishSessionUpdate');
  return (
    <section className="backend" id="backend" aria-labelledby="backend-title">
      <div className="section-head">
        <h2 id="backend-title">Your backend</h2>
        <p className="hint">Each action is one gRPC call, here and in your code.</p>
      </div>
      <div className="panel">
        <fieldset className="methods">
          <legend className="visually-hidden">Method</legend>
          {ACTIONS.map((action) => (
            <label key={action.method} className="method">
              <input
                type="radio"
                name="method"
                value={action.method}
                checked={method === action.method}
                onChange={() => setMethod(action.method)}
              />
              <span>{action.label}</span>
            </label>
          ))}
        </fieldset>
        <ActionForm key={method} method={method} />
      </div>
      <CallList />
    </section>
  );
}
