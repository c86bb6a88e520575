/** The name of a screen, and what it says of itself. */
export function Heading({ name, children }: { name: string; children?: string }) {
  return (
    <header class="heading">
      <h1>{name}</h1>
      {children && <p>{children}</p>}
    </header>
  );
}
