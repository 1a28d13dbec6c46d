// Feedback of one user: a button that requires it, or the form that submits it.

import { useState, type FormEvent } from 'react';

import { usePlaygroundSession } from '../use-playground-session';

interface FeedbackProps {
  readonly user: string;
  readonly isPending: boolean;
  readonly onSubmitted: () => void;
}

const SCORES = [1, 2, 3, 4, 5];

export function Feedback({ user, isPending, onSubmitted }: FeedbackProps) {
  const session = usePlaygroundSession();
  const [error, setError] = useState<string>();
  const requireFeedback = async () => {
    const request = { sessionId: session.id, userIds: [user] };
    const outcome = await session.call(`Require feedback of ${user}`, 'RequireFeedback', request);
    setError(outcome.ok ? undefined : outcome.message);
  };
  return (
    <div className="feedback">
      {isPending ? (
        <FeedbackForm user={user} onSubmitted={onSubmitted} />
      ) : (
        <button type="button" className="button" onClick={() => void requireFeedback()}>
          Require feedback
        </button>
      )}
      <p className="error" role="alert">
        {error}
      </p>
    </div>
  );
}

function FeedbackForm({ user, onSubmitted }: Omit<FeedbackProps, 'isPending'>) {
  const session = usePlaygroundSession();
  const [error, setError] = useState<string>();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const score = Number(data.get('score'));
    const note = String(data.get('note')).trim();
    const outcome = await session.call(`Submit feedback of ${user}`, 'UpdateFeedback', {
      sessionId: session.id,
      feedbackId: `${user}-${Date.now().toString(36)}`,
      authorId: user,
      updates: { score },
      newFeedback: note === '' ? { author: user, score } : { author: user, score, note },
    });
    if (outcome.ok) onSubmitted();
    else setError(outcome.message);
  };

  return (
    <form
      className="feedback-form"
      onSubmit={(event) => void submit(event)}
      aria-label={`Feedback of ${user}`}
    >
      <p className="notice-title" role="status">
        Feedback is pending
      </p>
      <fieldset className="scores">
        <legend>Score</legend>
        {SCORES.map((score) => (
          <label key={score}>
            <input type="radio" name="score" value={score} defaultChecked={score === 4} />
            <span>{score}</span>
          </label>
        ))}
      </fieldset>
      <label className="field">
        <span>Note</span>
        <input name="note" maxLength={200} placeholder="Clear reasoning" autoComplete="off" />
      </label>
      <button className="button primary">Submit feedback</button>
      <p className="error" role="alert">
        {error}
      </p>
    </form>
  );
}
