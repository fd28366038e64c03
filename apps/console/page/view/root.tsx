/** The page as a whole: what it knows, where the reader is, and how the line to the service stands. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Console } from '../model/console.ts';
import { type Place, type PlaceKey, readPlace, VIEW_NAMES, type View, writePlace } from '../model/place.ts';
import { createReader, type LineState } from '../net/reader.ts';
import { type App, AppContext } from './context.ts';
import { Frames } from './frames.ts';
import { Help } from './help.tsx';
import { Keys } from './keys.ts';
import { Login } from './login.tsx';
import { Shell } from './shell.tsx';

export function Root({ console }: { readonly console: Console }): JSX.Element {
  const frames = useMemo(() => new Frames(console), [console]);
  const keys = useMemo(() => new Keys(), []);
  const { place, go, change } = usePlace();
  const { line, retry } = useLine(console);
  const [help, setHelp] = useState(false);
  keys.go = go;
  keys.help = () => setHelp(true);
  useEffect(() => {
    document.addEventListener('keydown', keys.handle);
    return () => document.removeEventListener('keydown', keys.handle);
  }, [keys]);
  const app: App = { console, frames, keys, place, line, go, change };
  return (
    <AppContext.Provider value={app}>
      {line.kind === 'login' ? <Login onIn={retry} /> : <Shell onHelp={() => setHelp(true)} onRetry={retry} />}
      {help && <Help onClose={() => setHelp(false)} />}
    </AppContext.Provider>
  );
}

/** The address is what says where the reader is; this follows it. */
function usePlace(): Pick<App, 'place' | 'go' | 'change'> {
  const [place, setPlace] = useState<Place>(() => readPlace(location.hash));
  const now = useRef(place);
  const move = (next: Place, how: 'step' | 'quiet'): void => {
    const hash = writePlace(next);
    if (hash === writePlace(now.current)) return;
    if (how === 'step') history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
    now.current = next;
    setPlace(next);
  };
  useEffect(() => {
    const follow = (): void => {
      now.current = readPlace(location.hash);
      setPlace(now.current);
    };
    // Links change the hash, back and forward do, and so does a reader's own hand.
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('hashchange', follow);
    };
  }, []);
  useEffect(() => {
    document.title = `${VIEW_NAMES[place.view]} · Binnacle`;
  }, [place.view]);
  return {
    place,
    go: (view: View, at: Place['at'] = {}) => move({ view, at }, 'step'),
    change(patch: Partial<Record<PlaceKey, string | undefined>>, how) {
      const { view, at } = now.current;
      move({ view, at: readPlace(writePlace({ view, at: { ...at, ...patch } })).at }, how);
    },
  };
}

function useLine(console: Console): { line: LineState; retry: () => void } {
  const [line, setLine] = useState<LineState>({ kind: 'connecting' });
  const reader = useMemo(
    () =>
      createReader({
        url: 'api/events',
        apply: (name, data, size) => console.apply(name, data, size),
        tell: setLine,
      }),
    [console],
  );
  useEffect(() => {
    reader.start();
    const again = (): void => reader.retry();
    addEventListener('online', again);
    return () => {
      removeEventListener('online', again);
      reader.stop();
    };
  }, [reader]);
  return { line, retry: reader.retry };
}
