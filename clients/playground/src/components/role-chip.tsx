export function RoleChip({ role }: { readonly role: string | undefined }) {
  return (
    <span className="chip" data-role={role ?? 'none'}>
      {role ?? 'no role'}
    </span>
  );
}
