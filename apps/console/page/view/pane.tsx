/** What is opened beside a list. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useCloser } from './context.ts';
import { Icon } from './icons.tsx';

interface PaneProps {
  readonly title: ComponentChildren;
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

const NARROW = '(max-width: 899px)';

export function Pane({ title, label, onClose, children }: PaneProps): JSX.Element {
  const box = useRef<HTMLElement>(null);
  useCloser(onClose);
  useEffect(() => {
    const before = document.activeElement;
    // There it lies over the list, and who reads on is in it.
    if (matchMedia(NARROW).matches) box.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected && box.current?.contains(document.activeElement) === true)
        before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <section class="pane" aria-label={label} ref={box} tabIndex={-1}>
      <div class="pane-head">
        <h2>{title}</h2>
        <button type="button" class="icon-button" onClick={onClose} aria-label={`Close: ${label}`} title="Close (Esc)">
          <Icon name="close" />
        </button>
      </div>
      <div class="pane-body">{children}</div>
    </section>
  );
}
