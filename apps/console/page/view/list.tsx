// biome-ignore-all lint/a11y: it is the grid of the ARIA practices, of which only some rows are there; axe-core looks at it as drawn
/** A table of any length: only the rows that are seen are there, and a screen reader is told of all. */
import type { ComponentChildren, JSX, TargetedMouseEvent } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from './context.ts';

export interface Column<T> {
  readonly key: string;
  readonly name: ComponentChildren;
  readonly render: (item: T) => ComponentChildren;
}

export interface RowLook {
  readonly class?: string;
  readonly level?: number;
  readonly expanded?: boolean;
}

export interface ListProps<T> {
  readonly label: string;
  /** Names the widths of its columns in the style sheet: `cols-…`. */
  readonly layout: string;
  readonly columns: readonly Column<T>[];
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly rowHeight: number;
  readonly selected?: string;
  readonly onOpen: (item: T) => void;
  /** Keys that this list knows beside those of all lists. @returns whether it was one */
  readonly onKey?: (key: string, item: T) => boolean;
  readonly look?: (item: T) => RowLook;
  readonly isTree?: boolean;
  /** Stays at its end as it grows. */
  readonly follow?: boolean;
  readonly onFollow?: (follow: boolean) => void;
  /** Stands beside another list, which the page's keys move in. */
  readonly isAside?: boolean;
  readonly empty: ComponentChildren;
}

const OVERSCAN = 6;
const FIRST_HEIGHT = 800;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Rows are as high as the text in them is large. */
function remScale(): number {
  return (Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16) / 16;
}

export function List<T>(given: ListProps<T>): JSX.Element {
  const props = { ...given, rowHeight: Math.round(given.rowHeight * remScale()) };
  const { items, keyOf, rowHeight, label, layout, columns, empty, isTree = false } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const { view, look } = useWindow(box, props);
  const [active, setActive] = useActive(box, props);
  const activeAt = active === undefined ? -1 : items.findIndex((item) => keyOf(item) === active);
  const rowId = (at: number): string => `${id}-${at}`;
  const onClick = (event: TargetedMouseEvent<HTMLDivElement>): void => {
    const at = rowAt(event);
    const item = at === undefined ? undefined : items[at];
    if (item === undefined || isForeign(event)) return;
    setActive(keyOf(item));
    props.onOpen(item);
  };
  const rows = items.slice(view.from, view.to);
  return (
    <div
      ref={box}
      class={`list cols-${layout}`}
      role={isTree ? 'treegrid' : 'grid'}
      aria-label={label}
      aria-rowcount={items.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={activeAt >= view.from && activeAt < view.to ? rowId(activeAt) : undefined}
      tabIndex={0}
      onScroll={look}
      onKeyDown={(event) => onListKey(event, props, activeAt, setActive, box.current)}
    >
      <div role="rowgroup" class="list-head">
        <div role="row" class="row head" aria-rowindex={1}>
          {columns.map(({ key, name }) => (
            <span key={key} role="columnheader" class={`cell c-${key}`}>
              {name}
            </span>
          ))}
        </div>
      </div>
      {items.length === 0 ? (
        <div role="rowgroup" class="list-empty">
          <div role="row" aria-rowindex={2}>
            <div role="gridcell">{empty}</div>
          </div>
        </div>
      ) : (
        <div role="rowgroup" class="list-body" style={{ height: `${items.length * rowHeight}px` }} onClick={onClick}>
          {rows.map((item, place) => (
            <Row
              // By place and not by item: what scrolls in takes the elements of what scrolls out.
              key={place}
              id={rowId(view.from + place)}
              at={view.from + place}
              item={item}
              list={props}
              isActive={view.from + place === activeAt}
            />
          ))}
        </div>
      )}
    </div>
  );
}

interface RowProps<T> {
  readonly id: string;
  readonly at: number;
  readonly item: T;
  readonly list: ListProps<T>;
  readonly isActive: boolean;
}

function Row<T>({ id, at, item, list, isActive }: RowProps<T>): JSX.Element {
  const { columns, rowHeight, selected, keyOf, look } = list;
  const { class: name = '', level, expanded } = look?.(item) ?? {};
  return (
    <div
      id={id}
      role="row"
      class={`row ${name} ${isActive ? 'active' : ''}`}
      aria-rowindex={at + 2}
      aria-selected={keyOf(item) === selected}
      aria-level={level}
      aria-expanded={expanded}
      data-at={at}
      style={{ transform: `translateY(${at * rowHeight}px)`, height: `${rowHeight}px` }}
    >
      {columns.map(({ key, render }) => (
        <span key={key} role="gridcell" class={`cell c-${key}`}>
          {render(item)}
        </span>
      ))}
    </div>
  );
}

function rowAt({ target }: Event): number | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-at]') : null;
  return row === null ? undefined : Number(row.dataset.at);
}

/** A click that a link or a button of the row takes for itself, or that ends a selection of text. */
function isForeign(event: MouseEvent): boolean {
  const { target } = event;
  if (target instanceof Element && target.closest('a, button') !== null) return true;
  return (getSelection()?.toString() ?? '') !== '' && event.detail < 2;
}

/** Which rows are seen; keeps in place what is read while rows come and go around it. */
function useWindow<T>(
  box: { readonly current: HTMLDivElement | null },
  { items, keyOf, rowHeight, follow = false, onFollow }: ListProps<T>,
): { view: Window; look: () => void } {
  const [view, setView] = useState<Window>({ from: 0, to: Math.ceil(FIRST_HEIGHT / rowHeight) });
  const before = useRef({ top: 0, key: undefined as string | undefined });
  const measure = (): void => {
    const { current } = box;
    if (current === null) return;
    const from = Math.max(0, Math.floor(current.scrollTop / rowHeight) - OVERSCAN);
    const to = Math.ceil((current.scrollTop + current.clientHeight) / rowHeight) + OVERSCAN;
    setView((old) => (old.from === from && old.to === to ? old : { from, to }));
    const first = items[Math.floor(current.scrollTop / rowHeight)];
    before.current = { top: current.scrollTop, key: first === undefined ? undefined : keyOf(first) };
  };
  const look = (): void => {
    const { current } = box;
    if (current === null) return;
    const atEnd = current.scrollTop + current.clientHeight >= current.scrollHeight - rowHeight;
    // Growth never scrolls up; a reader does.
    if (follow && current.scrollTop < before.current.top - 1 && !atEnd) onFollow?.(false);
    else if (!follow && onFollow !== undefined && atEnd && current.scrollTop > before.current.top) onFollow(true);
    measure();
  };
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    if (follow) current.scrollTop = current.scrollHeight;
    else keepInPlace(current, before.current, items, keyOf, rowHeight);
    measure();
  }, [items, follow, rowHeight]);
  const resized = useRef<() => void>(measure);
  resized.current = () => {
    if (follow && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
    measure();
  };
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const observer = new ResizeObserver(() => resized.current());
    observer.observe(current);
    return () => observer.disconnect();
  }, [box]);
  return { view, look };
}

function keepInPlace<T>(
  element: HTMLElement,
  { top, key }: { readonly top: number; readonly key: string | undefined },
  items: readonly T[],
  keyOf: (item: T) => string,
  rowHeight: number,
): void {
  // At the very top newest things are what one wants to see.
  if (key === undefined || top < rowHeight / 2) return;
  const was = Math.floor(top / rowHeight);
  if (items[was] !== undefined && keyOf(items[was]) === key) return;
  const at = items.findIndex((item) => keyOf(item) === key);
  if (at >= 0) element.scrollTop = top + (at - was) * rowHeight;
}

type SetActive = (key: string | undefined) => void;

/** The row that the keyboard is on, and the list's part in the page's keys. */
function useActive<T>(
  box: { readonly current: HTMLDivElement | null },
  props: ListProps<T>,
): [string | undefined, SetActive] {
  const { keys } = useApp();
  const [active, setActive] = useState<string | undefined>(props.selected);
  useEffect(() => {
    if (props.selected !== undefined) setActive(props.selected);
  }, [props.selected]);
  const now = useRef({ props, active });
  now.current = { props, active };
  useEffect(
    () =>
      keys.addList({
        isMain: props.isAside !== true,
        element: () => box.current,
        move(by) {
          const { props: list, active: from } = now.current;
          const at = from === undefined ? -1 : list.items.findIndex((item) => list.keyOf(item) === from);
          moveTo(list, at < 0 ? firstSeen(box.current, list) : at + by, setActive, box.current);
          box.current?.focus({ preventScroll: true });
        },
        open() {
          const { props: list, active: from } = now.current;
          const item = list.items.find((one) => list.keyOf(one) === from);
          if (item !== undefined) list.onOpen(item);
        },
      }),
    [keys],
  );
  return [active, setActive];
}

function firstSeen<T>(element: HTMLElement | null, { rowHeight, follow, items }: ListProps<T>): number {
  if (follow === true) return items.length - 1;
  return element === null ? 0 : Math.ceil(element.scrollTop / rowHeight);
}

function moveTo<T>(
  { items, keyOf, rowHeight, onFollow }: ListProps<T>,
  to: number,
  setActive: SetActive,
  element: HTMLElement | null,
): void {
  const at = Math.min(items.length - 1, Math.max(0, to));
  const item = items[at];
  if (item === undefined || element === null) return;
  if (at < items.length - 1) onFollow?.(false);
  setActive(keyOf(item));
  const head = element.querySelector<HTMLElement>('.list-head')?.offsetHeight ?? 0;
  const room = element.clientHeight - head;
  const top = at * rowHeight;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room;
}

function onListKey<T>(
  event: KeyboardEvent,
  list: ListProps<T>,
  at: number,
  setActive: SetActive,
  element: HTMLElement | null,
): void {
  if (event.target !== element || event.ctrlKey || event.metaKey || event.altKey || element === null) return;
  const page = Math.max(1, Math.floor(element.clientHeight / list.rowHeight) - 2);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + page,
    PageUp: at - page,
    Home: 0,
    End: list.items.length - 1,
  };
  const to = steps[event.key];
  const item = list.items[at];
  if (to !== undefined) moveTo(list, to, setActive, element);
  else if (event.key === 'Enter' && item !== undefined) list.onOpen(item);
  else if (item === undefined || list.onKey?.(event.key, item) !== true) return;
  event.preventDefault();
}
