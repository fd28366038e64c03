/** A figure with its name, and where it leads. */
import type { ComponentChildren, JSX } from 'preact';
import { Sparkline } from './sparkline.tsx';

interface StatProps {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly tone?: 'bad' | 'warn' | 'good';
  readonly values?: readonly (number | null)[];
  readonly href?: string;
  readonly hint?: string;
}

export function Stat({ name, value, note, tone, values, href, hint }: StatProps): JSX.Element {
  const inner = (
    <>
      <span class="stat-name">{name}</span>
      <span class={`stat-value ${tone ?? ''}`}>{value}</span>
      {note !== undefined && <span class="stat-note">{note}</span>}
      {values !== undefined && <Sparkline values={values} />}
    </>
  );
  if (href === undefined) return <div class="stat">{inner}</div>;
  return (
    <a class="stat" href={href} title={hint}>
      {inner}
    </a>
  );
}

/** How something ended, by a word and a colour. */
export function Badge({
  tone,
  children,
}: {
  readonly tone: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

/** A few facts side by side. */
export function Facts({ facts }: { readonly facts: readonly (Fact | undefined)[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact !== undefined && (
            <div key={fact.name}>
              <dt>{fact.name}</dt>
              <dd>{fact.value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** A share of something limited, with the figures beside it as text. */
export function Meter({ share, label }: { readonly share: number; readonly label: string }): JSX.Element {
  const bounded = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const tone = bounded > 0.9 ? 'bad' : bounded > 0.7 ? 'warn' : '';
  return (
    <span class={`meter ${tone}`} role="img" aria-label={label}>
      <span class="meter-fill" style={{ width: `${(bounded * 100).toFixed(1)}%` }} />
    </span>
  );
}
