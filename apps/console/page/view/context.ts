/** What every part of the page may ask for. */
import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Console } from '../model/console.ts';
import type { Place, PlaceKey, View } from '../model/place.ts';
import type { LineState } from '../net/reader.ts';
import type { Frames } from './frames.ts';
import type { Keys } from './keys.ts';

export interface App {
  readonly console: Console;
  readonly frames: Frames;
  readonly keys: Keys;
  readonly place: Place;
  readonly line: LineState;
  /** Goes to another place; the one before is a step back. */
  go(view: View, at?: Place['at']): void;
  /** Changes the place in hand: a step to come back from, or not one. */
  change(at: Partial<Record<PlaceKey, string | undefined>>, how: 'step' | 'quiet'): void;
}

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('There is no page around this');
  return app;
}

/** Draws anew when this number has changed, at most once a frame. */
export function useVersion(read: (console: Console) => number): number {
  const { console, frames } = useApp();
  const [version, setVersion] = useState(() => read(console));
  useEffect(() => {
    const look = (): void => setVersion(read(console));
    look();
    return frames.listen(look);
  }, [console, frames]);
  return version;
}

/** The server's time, told anew every so many milliseconds while somebody looks. */
export function useNow(everyMs: number): number {
  const { console } = useApp();
  const [now, setNow] = useState(() => console.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(console.now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [console, everyMs]);
  return now;
}

/** What Esc does while this is shown. */
export function useCloser(close: () => void): void {
  const { keys } = useApp();
  const now = useRef(close);
  now.current = close;
  useEffect(() => keys.addCloser(() => now.current()), [keys]);
}

/** Whether the reader has asked for less movement. */
export function lessMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
