/** The head of each view: its name, its search, what else narrows it. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { VIEW_NAMES } from '../model/place.ts';
import { useApp } from './context.ts';
import { Icon } from './icons.tsx';

interface ToolbarProps {
  readonly search?: { readonly placeholder: string; readonly label: string };
  /** What it says of how much there is. */
  readonly figure?: string;
  readonly children?: ComponentChildren;
}

export function Toolbar({ search, figure, children }: ToolbarProps): JSX.Element {
  const { place } = useApp();
  return (
    <div class="toolbar">
      <h1>{VIEW_NAMES[place.view]}</h1>
      {figure !== undefined && <span class="toolbar-figure muted">{figure}</span>}
      {search !== undefined && <Search {...search} />}
      {children !== undefined && <div class="toolbar-rest">{children}</div>}
    </div>
  );
}

const SETTLE_MS = 120;

function Search({ placeholder, label }: { readonly placeholder: string; readonly label: string }): JSX.Element {
  const { place, change } = useApp();
  const { q = '' } = place.at;
  const [typed, setTyped] = useState(q);
  const sent = useRef(q);
  useEffect(() => {
    // Somebody else changed it: a link, a button, a step back.
    if (q !== sent.current) setTyped(q);
    sent.current = q;
  }, [q]);
  useEffect(() => {
    if (typed === sent.current) return undefined;
    const timer = setTimeout(() => {
      sent.current = typed;
      change({ q: typed }, 'quiet');
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        value={typed}
        placeholder={placeholder}
        aria-label={label}
        aria-keyshortcuts="/"
        spellcheck={false}
        autocomplete="off"
        maxLength={1000}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <span class="key-hint" aria-hidden="true">
        /
      </span>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly (readonly [value: T, name: string])[];
  readonly onChoose: (value: T) => void;
}

/** A few choices side by side, one of them made. */
export function Choice<T extends string>({ label, value, choices, onChoose }: ChoiceProps<T>): JSX.Element {
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {choices.map(([each, name]) => (
        <button key={each} type="button" aria-pressed={each === value} onClick={() => onChoose(each)}>
          {name}
        </button>
      ))}
    </fieldset>
  );
}

interface SelectProps<T extends string> extends ChoiceProps<T> {
  readonly hideLabel?: boolean;
}

export function Select<T extends string>({ label, value, choices, onChoose }: SelectProps<T>): JSX.Element {
  return (
    <label class="select">
      <span class="muted">{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value as T)}>
        {choices.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
