/** The keyboard: one-key shortcuts for who wants them, and where they lead. */
import type { View } from '../model/place.ts';

export interface ListHandle {
  /** The one that keys move in as long as the focus is in no other. */
  readonly isMain: boolean;
  element(): Element | null;
  move(by: number): void;
  open(): void;
}

/** `g` and one of these goes to a view. */
export const VIEW_KEYS: Readonly<Record<View, string>> = {
  live: 'l',
  traces: 't',
  logs: 'o',
  ai: 'a',
  metrics: 'm',
  health: 'h',
  telemetry: 'e',
};
const OWN_WORK = 'a, button, label, summary, [role="grid"], [role="treegrid"]';
const SECOND_KEY_MS = 1500;
const STORE_KEY = 'binnacle.console.keys';

export class Keys {
  readonly #lists: ListHandle[] = [];
  readonly #closers: (() => void)[] = [];
  #pending = 0;
  go: (view: View) => void = () => undefined;
  help: () => void = () => undefined;

  /** @returns what takes it out */
  addList(list: ListHandle): () => void {
    return add(this.#lists, list);
  }

  /** What Esc closes, the newest first. */
  addCloser(close: () => void): () => void {
    return add(this.#closers, close);
  }

  /** Single keys may be switched off: speech input and tremor press them unmeant (WCAG 2.1.4). */
  get single(): boolean {
    try {
      return localStorage.getItem(STORE_KEY) !== 'off';
    } catch {
      return true;
    }
  }

  set single(on: boolean) {
    try {
      if (on) localStorage.removeItem(STORE_KEY);
      else localStorage.setItem(STORE_KEY, 'off');
    } catch {
      // Storage is off: they stay on.
    }
  }

  readonly handle = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (document.querySelector('dialog[open]') !== null) return;
    if (event.key === 'Escape') this.#escape(event, target);
    else if (this.single && !isField(target) && this.#take(event.key, target)) event.preventDefault();
  };

  #escape(event: KeyboardEvent, target: EventTarget | null): void {
    if (isField(target) && target instanceof HTMLElement) {
      target.blur();
      event.preventDefault();
      return;
    }
    const close = this.#closers.at(-1);
    if (close === undefined) return;
    close();
    event.preventDefault();
  }

  #list(): ListHandle | undefined {
    const focused = this.#lists.find((list) => list.element()?.contains(document.activeElement) === true);
    return focused ?? this.#lists.findLast(({ isMain }) => isMain);
  }

  /** @returns whether the key meant something */
  #take(key: string, target: EventTarget | null): boolean {
    if (this.#pending > performance.now()) {
      this.#pending = 0;
      const view = (Object.keys(VIEW_KEYS) as View[]).find((name) => VIEW_KEYS[name] === key);
      if (view !== undefined) this.go(view);
      return view !== undefined;
    }
    const list = this.#list();
    switch (key) {
      case 'g':
        this.#pending = performance.now() + SECOND_KEY_MS;
        return true;
      case '/':
        return focusSearch();
      case '?':
        this.help();
        return true;
      case 'j':
      case 'k':
        list?.move(key === 'j' ? 1 : -1);
        return list !== undefined;
      case 'Enter':
        // A link or a button that has the focus does its own work.
        if (list === undefined || (target instanceof Element && target.closest(OWN_WORK) !== null)) return false;
        list.open();
        return true;
      default:
        return false;
    }
  }
}

function add<T>(all: T[], one: T): () => void {
  all.push(one);
  return () => {
    const at = all.indexOf(one);
    if (at >= 0) all.splice(at, 1);
  };
}

function isField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox' && target.type !== 'radio';
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('input[type="search"]');
  field?.focus();
  field?.select();
  return field !== null;
}
