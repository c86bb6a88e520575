import type { ComponentChildren } from 'preact';

/** A part of a screen, with its name. */
export function Part({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <section class="part" aria-label={name}>
      <h2>{name}</h2>
      <div class="fields">{children}</div>
    </section>
  );
}
