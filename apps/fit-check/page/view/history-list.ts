/** The list of what was asked from this browser. */
import type { HistoryEntry } from '../model/history.ts';
import { fill, h, icon, unseen } from './dom.ts';
import { LEVEL_LABELS, moment, shortMoment } from './format.ts';

export interface HistoryActions {
  open(id: string): void;
  remove(id: string): void;
}

/** `current`: the id of what is on the page. */
export function showHistory(
  list: HTMLElement,
  entries: readonly HistoryEntry[],
  current: string | undefined,
  actions: HistoryActions,
): void {
  const focus = focusIn(list);
  fill(list, ...entries.map((entry) => toItem(entry, entry.id === current, actions)));
  focus?.();
}

/** Gives the focus back that is within the list now; undefined where it is elsewhere. */
function focusIn(list: HTMLElement): (() => void) | undefined {
  const { activeElement } = document;
  const id = activeElement?.closest<HTMLElement>('.past')?.dataset.id;
  if (id === undefined || activeElement === null || !list.contains(activeElement)) return undefined;
  const part = activeElement.localName;
  return () => list.querySelector<HTMLElement>(`.past[data-id="${CSS.escape(id)}"] ${part}`)?.focus();
}

function toItem(entry: HistoryEntry, isCurrent: boolean, { open, remove }: HistoryActions): HTMLElement {
  const { id, query, at } = entry;
  const link = h(
    'a',
    { href: addressOf(id), class: 'past-link', ...(isCurrent && { 'aria-current': 'page' }) },
    h('span', { class: 'past-query' }, h('bdi', {}, query)),
    h('span', { class: 'past-about' }, h('span', { title: moment(at) }, shortMoment(at)), badge(entry)),
  );
  link.addEventListener('click', (event) => {
    // A new tab or window is the browser's business.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(id);
  });
  const button = h('button', { type: 'button', class: 'quiet past-remove' }, icon('cross'), unseen(`Forget ${query}`));
  button.addEventListener('click', () => remove(id));
  return h('li', { class: 'past', 'data-id': id }, link, button);
}

function badge({ status, score, level }: HistoryEntry): HTMLElement | undefined {
  if (status === 'running') return h('span', { class: 'badge' }, 'running');
  if (status !== 'complete') return h('span', { class: 'badge' }, status);
  if (level === undefined) return undefined;
  const words = score === undefined ? LEVEL_LABELS[level].toLowerCase() : String(score);
  const badge = h('span', { class: 'badge', title: LEVEL_LABELS[level] }, words);
  badge.dataset.level = level;
  if (score !== undefined) badge.append(unseen(` of 100, ${LEVEL_LABELS[level]}`));
  return badge;
}

/** Where an analysis is opened. */
export function addressOf(id: string): string {
  return `/?session=${encodeURIComponent(id)}`;
}
