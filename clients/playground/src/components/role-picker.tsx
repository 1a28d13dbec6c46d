// The user picks a role. A page can't: its backend does it for the user, and everybody is told.

import { useState } from 'react';

import { ROLE_NAMES, roleWord, type RoleName } from '../backend/requests';
import { useWorkshop } from '../playground-session';

interface RolePickerProps {
  readonly user: string;
  readonly role: string | undefined;
}

export function RolePicker({ user, role }: RolePickerProps) {
  const workshop = useWorkshop();
  const [trouble, setTrouble] = useState<string>();

  const pick = async (name: RoleName) => {
    const request = { sessionId: workshop.session, userId: user, role: name };
    const outcome = await workshop.call(`${user} becomes ${roleWord(name)}`, 'SelectRole', request);
    setTrouble(outcome.ok ? undefined : outcome.message);
  };

  return (
    <div className="role-picker">
      <div className="segments" role="group" aria-label={`Role of ${user}`}>
        {ROLE_NAMES.map((name) => (
          <button
            key={name}
            type="button"
            className="segment"
            data-role={roleWord(name)}
            aria-pressed={role === roleWord(name)}
            onClick={() => void pick(name)}
          >
            {roleWord(name)}
          </button>
        ))}
      </div>
      <p className="trouble" role="alert">
        {trouble}
      </p>
    </div>
  );
}
