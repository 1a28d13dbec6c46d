// The backend's side: any call by hand, and every call that was made.

import { useState } from 'react';

import type { Method } from '../backend/requests';
import { ActionForm } from './action-form';
import { Calls } from './call-list';
import { ACTIONS } from '../backend/actions';

export function Backend() {
  const [method, setMethod] = useState<Method>('PublishSessionUpdate');
  return (
    <section className="backend" id="backend" aria-labelledby="backend-title">
      <div className="section-head">
        <h2 id="backend-title">Your backend</h2>
        <p className="hint">Each action is one gRPC call, here and from your code.</p>
      </div>
      <div className="panel">
        <fieldset className="methods">
          <legend className="unseen">Method</legend>
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
      <Calls />
    </section>
  );
}
