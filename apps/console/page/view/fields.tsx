/** Names and values of a record, each of them a way to filter. */
import { Fragment, type JSX } from 'preact';
import { line } from '../model/text.ts';
import type { Attribute, Attributes } from '../model/wire.ts';
import { Icon } from './icons.tsx';
import { Copy, LongText } from './text.tsx';

interface FieldsProps {
  readonly fields: Attributes;
  /** Narrows a list to the same value, or to all others. */
  readonly onFilter?: (key: string, value: string, negated: boolean) => void;
}

/** More than anybody reads; a record has a few dozen. */
const MOST = 200;

export function Fields({ fields, onFilter }: FieldsProps): JSX.Element | null {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return null;
  return (
    <>
      <dl class="fields">
        {entries.slice(0, MOST).map(([key, value]) => (
          <Field key={key} name={key} value={value} onFilter={onFilter} />
        ))}
      </dl>
      {entries.length > MOST && <p class="muted">{entries.length - MOST} more fields are not shown.</p>}
    </>
  );
}

interface FieldProps {
  readonly name: string;
  readonly value: Attribute;
  readonly onFilter: FieldsProps['onFilter'];
}

/** Longer values are no filter that one would keep. */
const LONGEST_FILTER = 200;

function Field({ name, value, onFilter }: FieldProps): JSX.Element {
  const text = wordsOf(value);
  const isBlock = text.includes('\n') || (typeof value === 'object' && value !== null && !Array.isArray(value));
  const canFilter =
    onFilter !== undefined && (typeof value !== 'object' || value === null) && text.length <= LONGEST_FILTER;
  return (
    <div class={isBlock ? 'field block' : 'field'}>
      <dt>
        <FieldName name={name} />
      </dt>
      <dd>
        {isBlock ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls where it is long, by the keyboard too
          // biome-ignore lint/a11y/useSemanticElements: no set of fields is meant
          <span class="value" role="group" aria-label={line(name, 80)} tabIndex={0}>
            <LongText text={text} />
          </span>
        ) : (
          <span class={`value ${typeof value === 'number' ? 'number' : ''}`}>
            <LongText text={text} />
          </span>
        )}
        <span class="field-actions">
          {canFilter && (
            <>
              <FilterButton
                label={`Only ${name} of this value`}
                icon="plus"
                onClick={() => onFilter(name, text, false)}
              />
              <FilterButton
                label={`Without ${name} of this value`}
                icon="minus"
                onClick={() => onFilter(name, text, true)}
              />
            </>
          )}
          <Copy text={text} label={`Copy ${name}`} />
        </span>
      </dd>
    </div>
  );
}

/** It may be broken where its words end. */
function FieldName({ name }: { readonly name: string }): JSX.Element {
  const parts = line(name, 120).split(/(?<=[._])/);
  return (
    <bdi>
      {parts.map((part, at) => (
        <Fragment key={at}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </bdi>
  );
}

interface FilterButtonProps {
  readonly label: string;
  readonly icon: 'plus' | 'minus';
  readonly onClick: () => void;
}

function FilterButton({ label, icon, onClick }: FilterButtonProps): JSX.Element {
  return (
    <button type="button" class="icon-button" onClick={onClick} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

/** A stack is what it is, not a string with `\n` in it. */
function wordsOf(value: Attribute, depth = 0): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > 4) return '…';
  const inner = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.every((one: Attribute) => typeof one !== 'object' || one === null)) return value.map(String).join(', ');
    return value.map((one: Attribute) => `${inner}- ${wordsOf(one, depth + 1).trimStart()}`).join('\n');
  }
  return Object.entries(value)
    .map(([key, one]: [string, Attribute]) => {
      const text = wordsOf(one, depth + 1);
      const isBlock = text.includes('\n') || (typeof one === 'object' && one !== null && !Array.isArray(one));
      return isBlock ? `${inner}${key}:\n${text}` : `${inner}${key}: ${text}`;
    })
    .join('\n');
}
