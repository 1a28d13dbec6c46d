// The outcome of a call: the response, or the error with its details.

import type { Failure, Outcome } from '../backend/bridge';
import { isJsonObject, type Json, type JsonObject } from '../backend/json';

export function OutcomeView({ outcome }: { readonly outcome: Outcome | undefined }) {
  return (
    <div className="outcome" role="status">
      {outcome === undefined ? (
        <p className="hint">Waiting for the response…</p>
      ) : outcome.ok ? (
        <>
          <p className="outcome-code" data-tone="good">
            OK
          </p>
          <JsonBlock value={outcome.response} label="Response" />
        </>
      ) : (
        <FailureView failure={outcome} />
      )}
    </div>
  );
}

function FailureView({ failure }: { readonly failure: Failure }) {
  return (
    <>
      <p className="outcome-code" data-tone="bad">
        {failure.code}
      </p>
      <p>{failure.message}</p>
      {failure.details.length > 0 && (
        <ul className="details">
          {failure.details.map((detail, index) => (
            <li key={index}>
              <Detail detail={detail} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Detail({ detail }: { readonly detail: JsonObject }) {
  const { '@type': type, ...rest } = detail;
  const kind =
    String(type ?? '')
      .split('.')
      .at(-1) ?? '';
  const violations = rest['fieldViolations'];
  if (kind === 'BadRequest' && Array.isArray(violations)) {
    return (
      <>
        <strong>BadRequest</strong>
        <ul>
          {violations.filter(isJsonObject).map((violation, index) => (
            <li key={index}>
              <code>{String(violation['field'])}</code> {String(violation['description'])}
            </li>
          ))}
        </ul>
      </>
    );
  }
  if (kind === 'ErrorInfo') {
    return (
      <>
        <strong>ErrorInfo</strong> reason <code>{String(rest['reason'])}</code>, domain{' '}
        <code>{String(rest['domain'])}</code>
      </>
    );
  }
  return (
    <>
      <strong>{kind}</strong> <code>{JSON.stringify(rest)}</code>
    </>
  );
}

function JsonBlock({ value, label }: { readonly value: Json; readonly label: string }) {
  return (
    <pre className="json" tabIndex={0} role="region" aria-label={label}>
      <code>{JSON.stringify(value, undefined, 2)}</code>
    </pre>
  );
}
