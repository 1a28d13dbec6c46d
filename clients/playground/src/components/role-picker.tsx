// The role of a user. A page cannot select a role itself: its backend makes the call, and all browsers receive the event.

import { useState } from 'react';

import { browserRole, ROLE_NAMES, type RoleName } from '../backend/requests';
import { usePlaygroundSession } from '../use-playground-session';

interface RolePickerProps {
  readonly user: string;
  readonly role: string | undefined;
}

export function RolePicker({ user, role }: RolePickerProps) {
  const session = usePlaygroundSession();
  const [error, setError] = useState<string>();

  const select = async (name: RoleName) => {
    const request = { sessionId: session.id, userId: user, role: name };
    const outcome = await session.call(`${user} becomes ${browserRole(name)}`, 'SelectRole', request);
    setError(outcome.ok ? undefined : outcome.message);
  };

  return (
    <div className="role-picker">
      <div className="segments" role="group" aria-label={`Role of ${user}`}>
        {ROLE_NAMES.map((name) => (
          <button
            key={name}
            type="button"
            className="segment"
            data-role={browserRole(name)}
            aria-pressed={role === browserRole(name)}
            onClick={() => void select(name)}
          >
            {browserRole(name)}
          </button>
        ))}
      </div>
      <p className="error" role="alert">
        {error}
      </p>
    </div>
  );
}
