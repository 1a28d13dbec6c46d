// One call by hand: its fields, the same call by grpcurl, and what came of it.

import { useState, type FormEvent } from 'react';

import { ACTIONS, type Action } from '../backend/actions';
import { words } from '../backend/bridge';
import type { Method, Request } from '../backend/requests';
import { FieldError, type Draft } from '../backend/draft';
import { useStore } from '../store';
import { useWorkshop } from '../playground-session';
import { Command } from './command';
import { FieldInput } from './field-input';
import { SendIcon } from './icons';
import { OutcomeView } from './outcome-view';

export function ActionForm({ method }: { readonly method: Method }) {
  const action = ACTIONS.find((one) => one.method === method);
  return action === undefined ? null : <Form action={action} />;
}

type Built = { readonly request: Request } | { readonly problem: string; readonly field: string | undefined };

function Form({ action }: { readonly action: Action }) {
  const workshop = useWorkshop();
  const known = useStore(workshop.record.known);
  const calls = useStore(workshop.journal.calls);
  useStore(workshop.journal.reach);
  // Only what was typed: the rest follows the session.
  const [typed, setTyped] = useState<Draft>({});
  const [sent, setSent] = useState<number>();
  const [asked, setAsked] = useState(false);
  const draft = { ...action.start(workshop.session, known), ...typed };
  const built = build(action, draft);
  const last = calls.find((call) => call.id === sent);

  const send = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!('request' in built)) return;
    void workshop.call(action.label, action.method, built.request as never);
    setSent(workshop.journal.calls.read()[0]?.id);
    // Publishing again begins with the session as it is then.
    setTyped(({ status: _, attributes: __, ...rest }) => rest);
    setAsked(false);
  };

  return (
    <form className="action" onSubmit={send} aria-label={action.method} noValidate>
      <p className="action-what">
        <code>{action.method}</code> {action.what}
      </p>
      <div className="action-fields">
        {action.fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={draft[field.name] ?? ''}
            problem={asked && 'problem' in built && built.field === field.name ? built.problem : undefined}
            onChange={(value) => setTyped({ ...typed, [field.name]: value })}
          />
        ))}
      </div>
      {'request' in built ? (
        <Command text={workshop.journal.command(action.method, built.request)} what={action.method} />
      ) : (
        <p className="hint">The command stands here once the fields are right.</p>
      )}
      <button className="button primary">
        <SendIcon />
        Call {action.method}
      </button>
      {last !== undefined && <OutcomeView outcome={last.outcome} />}
    </form>
  );
}

function build(action: Action, draft: Draft): Built {
  try {
    return { request: action.request(draft) };
  } catch (error) {
    return { problem: words(error), field: error instanceof FieldError ? error.field : undefined };
  }
}
