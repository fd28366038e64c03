/** Text from outside, shown as text. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { bytes } from '../model/format.ts';
import { line, sliceWhole, visible } from '../model/text.ts';
import { Icon } from './icons.tsx';

/** One line, cut where it is too long; what is written right to left turns nothing beside it. */
export function Line({
  text,
  limit = 240,
  class: name,
}: {
  text: string;
  limit?: number;
  class?: string;
}): JSX.Element {
  return <bdi class={name}>{line(text, limit)}</bdi>;
}

const FIRST = 2000;

/** All of a text, as much of it at a time as a page can bear. */
export function LongText({ text }: { readonly text: string }): JSX.Element {
  const [limit, setLimit] = useState(FIRST);
  useEffect(() => setLimit(FIRST), [text]);
  const rest = text.length - limit;
  return (
    <>
      <bdi class="long-text">{visible(rest > 0 ? sliceWhole(text, limit) : text)}</bdi>
      {rest > 0 && (
        <span class="long-rest">
          <button type="button" class="link" onClick={() => setLimit(limit * 10)}>
            Show {rest <= limit * 9 ? 'the rest' : 'more'} ({bytes(rest)} left)
          </button>
          <Copy text={text} label="Copy all" />
        </span>
      )}
    </>
  );
}

const TOLD_MS = 1500;

export function Copy({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const [told, setTold] = useState<'no' | 'copied' | 'failed'>('no');
  useEffect(() => {
    if (told === 'no') return undefined;
    const timer = setTimeout(() => setTold('no'), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = (): void => {
    // Without https there is no clipboard to write to.
    const writing = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    writing.then(
      () => setTold('copied'),
      () => setTold('failed'),
    );
  };
  const words = { no: label, copied: 'Copied', failed: 'Could not copy' }[told];
  return (
    <button type="button" class="icon-button" onClick={copy} aria-label={words} title={words}>
      <Icon name={told === 'copied' ? 'check' : 'copy'} />
    </button>
  );
}

/** What a reader types or runs, to be copied. */
export function Code({ text }: { readonly text: string }): JSX.Element {
  return (
    <span class="code">
      <code>{text}</code>
      <Copy text={text} label={`Copy: ${line(text, 80)}`} />
    </span>
  );
}
