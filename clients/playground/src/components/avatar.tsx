// The avatar of a user: one letter on a colour.

const HUES = 6;

export function Avatar({ user, small = false }: { readonly user: string; readonly small?: boolean }) {
  return (
    <span className={small ? 'avatar small' : 'avatar'} data-hue={hueOf(user)} aria-hidden="true">
      {user.charAt(0).toUpperCase()}
    </span>
  );
}

// Depends only on the name. The participants of the mock interview have different hues.
function hueOf(user: string): number {
  let sum = 0;
  for (const letter of user) sum = (sum * 2 + letter.charCodeAt(0)) % 9973;
  return sum % HUES;
}
