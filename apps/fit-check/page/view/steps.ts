/** The five phases: where the analysis is, and how it came there. */
import type { Analysis, Phase } from '../model/analysis.ts';
import { h, icon, unseen } from './dom.ts';
import { duration, PHASE_DOING, PHASE_LABELS } from './format.ts';

const STATES: Readonly<Record<Phase['state'], string>> = {
  waiting: 'waiting',
  running: 'running',
  done: 'done',
  stopped: 'stopped',
};

export function stepper(phases: readonly Phase[]): HTMLElement {
  const step = (phase: Phase): HTMLElement =>
    h(
      'li',
      { class: `step ${phase.state}`, ...(phase.state === 'running' && { 'aria-current': 'step' }) },
      h('span', { class: 'dot', 'aria-hidden': 'true' }, mark(phase)),
      h('span', { class: 'step-name' }, PHASE_LABELS[phase.name]),
      h('span', { class: 'step-time' }, timeOf(phase)),
      unseen(`, ${STATES[phase.state]}`),
    );
  return h('ol', { class: 'steps plain', 'aria-label': 'Steps' }, ...phases.map(step));
}

function mark({ state }: Phase): Node | string {
  if (state === 'done') return icon('check');
  return state === 'stopped' ? icon('cross') : '';
}

function timeOf({ state, durationMs }: Phase): string {
  if (state === 'done' && typeof durationMs === 'number') return duration(durationMs);
  return '';
}

/** One line: what happens now. */
export function nowLine(analysis: Analysis): string {
  const { status, waiting, phases } = analysis;
  if (waiting === 'network') return 'The connection broke. Looking for the result until the service answers again…';
  if (waiting === 'running') return 'This analysis is still running. Its result appears here once it is done…';
  if (status === 'opening') return 'Opening the analysis…';
  if (status !== 'running') return '';
  const running = phases.find(({ state }) => state === 'running');
  if (running === undefined) return phases.every(({ state }) => state === 'waiting') ? 'Asking…' : 'Finishing…';
  const lately = [...phases]
    .reverse()
    .find(({ thoughts }) => thoughts.length > 0)
    ?.thoughts.at(-1);
  const doing = `${PHASE_DOING[running.name]}…`;
  return lately === undefined ? doing : `${doing} ${lately}`;
}

/** What each phase said, with its thoughts. */
export function log(phases: readonly Phase[]): HTMLElement {
  const told = phases.filter(({ state, thoughts }) => state !== 'waiting' || thoughts.length > 0);
  const item = (phase: Phase): HTMLElement => {
    const { name, summary, thoughts, state } = phase;
    const text = summary ?? (state === 'stopped' ? 'Stopped before it was done' : `${PHASE_DOING[name]}…`);
    return h(
      'li',
      {},
      h('p', {}, h('strong', {}, PHASE_LABELS[name]), ' ', h('bdi', {}, text)),
      thoughts.length > 0 && h('ul', { class: 'thoughts plain' }, ...thoughts.map((thought) => h('li', {}, thought))),
    );
  };
  return h('ol', { class: 'log plain' }, ...told.map(item));
}
