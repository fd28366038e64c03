/** What went wrong, with what to do about it. */
import type { Problem } from '../model/problems.ts';
import { h } from './dom.ts';

export interface Remedies {
  again(): void;
  edit(): void;
  ask(): void;
  reload(): void;
}

const LABELS: Readonly<Record<Problem['remedy'], string>> = {
  again: 'Ask again',
  edit: 'Change the question',
  ask: 'Ask a question',
  reload: 'Open it again',
};

/** `calm`: nothing failed, the reader's own doing is confirmed. */
export function notice(problem: Problem, calm: boolean, remedies: Remedies): HTMLElement {
  const { title, text, remedy, reference } = problem;
  const button = h('button', { type: 'button', class: 'button' }, LABELS[remedy]);
  button.addEventListener('click', () => remedies[remedy]());
  return h(
    'div',
    { class: `notice ${calm ? 'calm' : 'bad'}`, role: calm ? undefined : 'alert' },
    h('h3', {}, title),
    h('p', {}, text),
    h(
      'div',
      { class: 'row' },
      button,
      reference !== undefined && h('p', { class: 'muted' }, 'Reference ', h('code', {}, reference)),
    ),
  );
}
