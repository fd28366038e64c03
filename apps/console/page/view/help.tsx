/** What the keyboard and the search boxes can do. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { VIEW_NAMES, VIEWS } from '../model/place.ts';
import { useApp } from './context.ts';
import { Icon } from './icons.tsx';
import { VIEW_KEYS } from './keys.ts';

const KEYS: readonly (readonly [keys: readonly string[], means: string])[] = [
  [['/'], 'Search'],
  [['j', 'k'], 'Next row, row before'],
  [['Enter'], 'Open the row'],
  [['Esc'], 'Close what is open'],
  [['?'], 'This help'],
];

const FILTERS: readonly (readonly [example: string, means: string])[] = [
  ['timeout "went away"', 'Words and phrases that must be in it'],
  ['logger:fit_check.llm', 'A field with this value; * stands for anything'],
  ['level:>=WARNING', 'A level or above'],
  ['duration:>500ms', 'Longer than; ms, s, m and h'],
  ['request_id:', 'The field is there'],
  ['-status:success', 'The opposite of any of them'],
];

export function Help({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { keys } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const [single, setSingle] = useState(keys.single);
  useEffect(() => {
    const { current } = dialog;
    const before = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <div class="help-head">
        <h2 id="help-title">Keyboard and search</h2>
        <button type="button" class="icon-button" onClick={onClose} aria-label="Close" title="Close">
          <Icon name="close" />
        </button>
      </div>
      <div class="help-columns">
        <section>
          <h3>Keys</h3>
          <dl class="pairs">
            {KEYS.map(([names, means]) => (
              <div key={means}>
                <dt>
                  {names.map((name) => (
                    <kbd key={name}>{name}</kbd>
                  ))}
                </dt>
                <dd>{means}</dd>
              </div>
            ))}
          </dl>
          <label class="check">
            <input
              type="checkbox"
              checked={single}
              onChange={({ currentTarget }) => {
                keys.single = currentTarget.checked;
                setSingle(currentTarget.checked);
              }}
            />
            Single keys are shortcuts
          </label>
        </section>
        <section>
          <h3>Go to a view</h3>
          <dl class="pairs">
            {VIEWS.map((view) => (
              <div key={view}>
                <dt>
                  <kbd>g</kbd>
                  <kbd>{VIEW_KEYS[view]}</kbd>
                </dt>
                <dd>{VIEW_NAMES[view]}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section class="help-wide">
          <h3>Search</h3>
          <dl class="pairs">
            {FILTERS.map(([example, means]) => (
              <div key={example}>
                <dt>
                  <code>{example}</code>
                </dt>
                <dd>{means}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </dialog>
  );
}
