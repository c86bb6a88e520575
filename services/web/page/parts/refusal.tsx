/**
 * Why something was not done, in words; said at once, also by a screen reader, or as a `status` once it is silent. Without
 * words it is nothing.
 */
export const Refusal = ({ children, role = 'alert' }: { children: string | null; role?: 'alert' | 'status' }) =>
  children && (
    <p class="refusal" role={role}>
      {children}
    </p>
  );
