// Feedback: asked for by the backend, given by the user, seen by everybody in the session.

import { useState, type FormEvent } from 'react';

import { useWorkshop } from '../playground-session';

interface FeedbackProps {
  readonly user: string;
  readonly due: boolean;
  readonly onGiven: () => void;
}

const SCORES = [1, 2, 3, 4, 5];

export function Feedback({ user, due, onGiven }: FeedbackProps) {
  const workshop = useWorkshop();
  const [trouble, setTrouble] = useState<string>();
  const ask = async () => {
    const request = { sessionId: workshop.session, userIds: [user] };
    const outcome = await workshop.call(`Ask ${user} for feedback`, 'RequireFeedback', request);
    setTrouble(outcome.ok ? undefined : outcome.message);
  };
  return (
    <div className="feedback">
      {due ? (
        <FeedbackForm user={user} onGiven={onGiven} />
      ) : (
        <button type="button" className="button" onClick={() => void ask()}>
          Ask for feedback
        </button>
      )}
      <p className="trouble" role="alert">
        {trouble}
      </p>
    </div>
  );
}

function FeedbackForm({ user, onGiven }: Omit<FeedbackProps, 'due'>) {
  const workshop = useWorkshop();
  const [trouble, setTrouble] = useState<string>();

  const give = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const score = Number(given.get('score'));
    const note = String(given.get('note')).trim();
    const outcome = await workshop.call(`${user} gives feedback`, 'UpdateFeedback', {
      sessionId: workshop.session,
      feedbackId: `${user}-${Date.now().toString(36)}`,
      authorId: user,
      updates: { score },
      newFeedback: note === '' ? { author: user, score } : { author: user, score, note },
    });
    if (outcome.ok) onGiven();
    else setTrouble(outcome.message);
  };

  return (
    <form className="feedback-form" onSubmit={(event) => void give(event)} aria-label={`Feedback of ${user}`}>
      <p className="notice-title" role="status">
        Feedback is due
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
      <button className="button primary">Give feedback</button>
      <p className="trouble" role="alert">
        {trouble}
      </p>
    </form>
  );
}
