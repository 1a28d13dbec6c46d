// The form of one backend call: its fields, the equivalent grpcurl command, and the outcome.

import { useState, type FormEvent } from 'react';

import { ACTIONS, type Action } from '../backend/actions';
import { FieldError, type Draft } from '../backend/draft';
import type { Method, Request } from '../backend/requests';
import { errorMessage } from '../error-message';
import { usePlaygroundSession } from '../use-playground-session';
import { useStore } from '../use-store';
import { Command } from './command';
import { FieldInput } from './field-input';
import { SendIcon } from './icons';
import { OutcomeView } from './outcome-view';

export function ActionForm({ method }: { readonly method: Method }) {
  const action = ACTIONS.find((candidate) => candidate.method === method);
  return action === undefined ? null : <Form action={action} />;
}

function Form({ action }: { readonly action: Action }) {
  const session = usePlaygroundSession();
  const record = useStore(session.record.state);
  const calls = useStore(session.history.calls);
  useStore(session.history.about);
  // Only the fields that the user edited. The other fields follow the session.
  const [edited, setEdited] = useState<Draft>({});
  const [callId, setCallId] = useState<number>();
  const [isSubmitted, setSubmitted] = useState(false);
  const draft = { ...action.initialDraft(session.id, record), ...edited };
  const parsed = parse(action, draft);
  const lastCall = calls.find((call) => call.id === callId);

  const send = (event: FormEvent) => {
    event.preventDefault();
    setSubmitted(true);
    if (!('request' in parsed)) return;
    void session.call(action.label, action.method, parsed.request as never);
    setCallId(session.history.calls.getSnapshot()[0]?.id);
    // The next draft starts with the session after this call.
    setEdited(({ status: _, attributes: __, ...rest }) => rest);
    setSubmitted(false);
  };
  const errorOf = (field: string) =>
    isSubmitted && 'error' in parsed && parsed.field === field ? parsed.error : undefined;

  return (
    <form className="action" onSubmit={send} aria-label={action.method} noValidate>
      <p className="action-description">
        <code>{action.method}</code> {action.description}
      </p>
      <div className="action-fields">
        {action.fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={draft[field.name] ?? ''}
            error={errorOf(field.name)}
            onChange={(value) => setEdited({ ...edited, [field.name]: value })}
          />
        ))}
      </div>
      {'request' in parsed ? (
        <Command text={session.history.command(action.method, parsed.request)} description={action.method} />
      ) : (
        <p className="hint">The command appears here when all fields are valid.</p>
      )}
      <button className="button primary">
        <SendIcon />
        Call {action.method}
      </button>
      {lastCall !== undefined && <OutcomeView outcome={lastCall.outcome} />}
    </form>
  );
}

type Parsed = { readonly request: Request } | { readonly error: string; readonly field: string | undefined };

function parse(action: Action, draft: Draft): Parsed {
  try {
    return { request: action.request(draft) };
  } catch (error) {
    return { error: errorMessage(error), field: error instanceof FieldError ? error.field : undefined };
  }
}
