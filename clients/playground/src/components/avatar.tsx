// A user: a face of one letter, and a role.

const HUES = 6;

// The three of the mock interview are told apart at a glance; others get a hue by their name.
export function hueOf(user: string): number {
  let sum = 0;
  for (const letter of user) sum = (sum * 2 + letter.charCodeAt(0)) % 9973;
  return sum % HUES;
}

export function Face({ user, small = false }: { readonly user: string; readonly small?: boolean }) {
  return (
    <span className={small ? 'face small' : 'face'} data-hue={hueOf(user)} aria-hidden="true">
      {user.charAt(0).toUpperCase()}
    </span>
  );
}

export function RoleChip({ role }: { readonly role: string | undefined }) {
  return (
    <span className="chip" data-role={role ?? 'none'}>
      {role ?? 'no role'}
    </span>
  );
}
