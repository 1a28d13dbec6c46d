// What a call was answered: the answer, or the status with its details.

import { isFields, type Failure, type Outcome } from '../backend/bridge';
import type { Fields, Json } from '../backend/requests';

export function OutcomeView({ outcome }: { readonly outcome: Outcome | undefined }) {
  return (
    <div className="outcome" role="status">
      {outcome === undefined ? (
        <p className="hint">Under way…</p>
      ) : outcome.ok ? (
        <>
          <p className="outcome-code" data-tone="good">
            OK
          </p>
          <JsonBlock value={outcome.answer} label="Answer" />
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
          {failure.details.map((detail, at) => (
            <li key={at}>
              <Detail detail={detail} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Detail({ detail }: { readonly detail: Fields }) {
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
          {violations.filter(isFields).map((one, at) => (
            <li key={at}>
              <code>{String(one['field'])}</code> {String(one['description'])}
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

export function JsonBlock({ value, label }: { readonly value: Json; readonly label: string }) {
  return (
    <pre className="json" tabIndex={0} role="region" aria-label={label}>
      <code>{JSON.stringify(value, undefined, 2)}</code>
    </pre>
  );
}
