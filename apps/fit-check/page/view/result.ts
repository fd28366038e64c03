/** One analysis on the page, from its first event to its last. */
import type { Analysis } from '../model/analysis.ts';
import { count, problemOf } from '../model/problems.ts';
import { plain, plainLine } from '../text/plain.ts';
import { bar, fill, h } from './dom.ts';
import { evidenceLists, gapList, matchList } from './evidence.ts';
import { duration, LEVEL_LABELS, moment } from './format.ts';
import { notice, type Remedies } from './notice.ts';
import { log, nowLine, stepper } from './steps.ts';
import { createVerdictView } from './verdict.ts';

export interface ResultView {
  readonly element: HTMLElement;
  /** What the analysis is of; takes the focus. */
  readonly heading: HTMLElement;
  /** Shows what has changed since it was last called. */
  update(): void;
}

export interface ResultActions extends Remedies {
  /** A control that copies the link of this analysis. */
  readonly copy: HTMLElement;
}

/** A question's first line stands for it; a longer one is folded. */
const LONGEST_TITLE = 140;

export function createResultView(analysis: Analysis, opened: boolean, actions: ResultActions): ResultView {
  const parts = createParts(opened, actions);
  const verdict = createVerdictView();
  parts.verdict.body.append(verdict.element);
  const slots: readonly Slot[] = [
    slot([() => analysis.query], () => showQuestion(parts, analysis.query)),
    slot([() => analysis.candidate, () => analysis.createdAt], () => fill(parts.about, aboutLine(analysis))),
    slot([() => analysis.phases], () => showSteps(parts, analysis)),
    slot([() => analysis.unknown], () => verdict.disown(analysis.unknown)),
    slot([() => analysis.level], () => showScore(parts.score, analysis)),
    slot([() => analysis.matches], () =>
      showSection(parts.skills, matchList(analysis.matches), analysis.matches.length > 0),
    ),
    slot([() => analysis.gaps], () =>
      showSection(parts.gaps, gapList(analysis.gaps ?? []), analysis.gaps !== undefined),
    ),
    slot([() => analysis.evidence], () =>
      showSection(parts.evidence, evidenceLists(analysis), analysis.evidence.length > 0),
    ),
    slot([() => analysis.status, () => analysis.error], () => showEnding(parts, analysis, opened, actions)),
  ];
  return {
    element: parts.element,
    heading: parts.heading,
    update() {
      const text = analysis.takeVerdict();
      if (text !== '') {
        parts.verdict.element.hidden = false;
        analysis.cite(verdict.push(text));
      }
      parts.now.textContent = nowLine(analysis);
      parts.now.hidden = parts.now.textContent === '';
      for (const refresh of slots) refresh();
    },
  };
}

/** Shows again what it stands for, if that is another now. */
type Slot = () => void;

function slot(values: readonly (() => unknown)[], show: () => void): Slot {
  let before: readonly unknown[] | undefined;
  return () => {
    const now = values.map((value) => value());
    if (before !== undefined && now.every((value, at) => Object.is(value, before?.[at]))) return;
    before = now;
    show();
  };
}

interface Section {
  readonly element: HTMLElement;
  readonly body: HTMLElement;
}

type Parts = ReturnType<typeof createParts>;

function createParts(opened: boolean, { copy }: ResultActions) {
  const heading = h('h2', { id: 'question', tabindex: '-1' });
  const question = h('div', { class: 'question' }, heading);
  const about = h('p', { class: 'muted' });
  const steps = h('div');
  const now = h('p', { class: 'now' });
  const problem = h('div');
  const score = h('section', { class: 'card score', 'aria-label': 'Score', hidden: true });
  const verdict = section('Verdict', 'card verdict');
  const skills = section('Skills', 'card');
  const gaps = section('Gaps', 'card');
  const evidence = section('Evidence', 'card');
  const foot = h('p', { class: 'muted foot', hidden: true });
  const logBody = h('div');
  const logElement = h('details', { class: 'card', open: !opened }, h('summary', {}, 'How it was found'), logBody);
  const element = h(
    'article',
    { class: 'result', 'aria-labelledby': 'question' },
    h('header', { class: 'result-head' }, h('div', { class: 'result-title' }, question, about), copy),
    h('div', { class: 'card progress' }, steps, now),
    problem,
    score,
    h('div', { class: 'columns' }, verdict.element, h('div', { class: 'column' }, skills.element, gaps.element)),
    evidence.element,
    logElement,
    foot,
  );
  const logSection: Section = { element: logElement, body: logBody };
  return {
    element,
    heading,
    about,
    steps,
    now,
    problem,
    score,
    verdict,
    skills,
    gaps,
    evidence,
    foot,
    log: logSection,
  };
}

function section(title: string, name: string): Section {
  const body = h('div');
  return { element: h('section', { class: name, hidden: true }, h('h3', {}, title), body), body };
}

function showSection({ element, body }: Section, content: HTMLElement, shown: boolean): void {
  element.hidden = !shown;
  const wasOpen = body.querySelector('.more[open]') !== null;
  fill(body, content);
  if (wasOpen) for (const more of body.querySelectorAll<HTMLDetailsElement>('.more')) more.open = true;
}

/** The heading stays where it is, so that it keeps a focus that it was given. */
function showQuestion({ heading }: Parts, query: string): void {
  const [first = ''] = query.trimStart().split('\n', 1);
  const title = plainLine(first, LONGEST_TITLE);
  fill(heading, h('bdi', {}, title || 'Analysis'));
  heading.nextElementSibling?.remove();
  if (plainLine(query, LONGEST_TITLE * 2) === title) return;
  const whole = h('details', { class: 'whole' }, h('summary', {}, 'The whole text'));
  // A text that may be long is set only where somebody wants to see it.
  const open = (): void => whole.append(h('div', { class: 'pasted', tabindex: '0' }, plain(query, 20_000)));
  whole.addEventListener('toggle', open, { once: true });
  heading.after(whole);
}

function showSteps({ steps, log: section }: Parts, { phases }: Analysis): void {
  fill(steps, stepper(phases));
  fill(section.body, log(phases));
  section.element.hidden = phases.every(({ state }) => state === 'waiting');
}

function aboutLine({ candidate, createdAt }: Analysis): string {
  const years = candidate?.years;
  const parts = [
    candidate?.name,
    candidate?.label,
    years === undefined || years === 0 ? undefined : `${Math.round(years)} years of work`,
    createdAt === undefined || Number.isNaN(Date.parse(createdAt)) ? undefined : moment(createdAt),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

function showScore(element: HTMLElement, { score, level }: Analysis): void {
  element.hidden = level === undefined;
  if (level === undefined) return;
  element.dataset.level = level;
  fill(
    element,
    h(
      'p',
      { class: 'score-figure' },
      score === undefined
        ? h('span', { class: 'score-number' }, '–')
        : h('span', { class: 'score-number' }, String(score)),
      score !== undefined && h('span', { class: 'score-of' }, ' of 100'),
    ),
    h(
      'div',
      { class: 'score-side' },
      h('p', { class: 'score-level' }, LEVEL_LABELS[level]),
      bar((score ?? 0) / 100, 'scale'),
      h(
        'p',
        { class: 'muted scale-words', 'aria-hidden': 'true' },
        h('span', {}, 'weak'),
        h('span', {}, 'partial'),
        h('span', {}, 'good'),
        h('span', {}, 'strong'),
      ),
    ),
  );
}

function showEnding(parts: Parts, analysis: Analysis, opened: boolean, actions: ResultActions): void {
  parts.element.setAttribute('aria-busy', String(!analysis.isOver));
  const { status, error, complete } = analysis;
  const wrong = status === 'failed' || status === 'cancelled';
  fill(parts.problem, wrong && notice(problemOf(error, opened), status === 'cancelled', actions));
  const begun = analysis.phases.some(({ state }) => state !== 'waiting');
  parts.steps.parentElement?.toggleAttribute('hidden', wrong && !begun);
  actions.copy.hidden = wrong && !begun;
  if (complete === undefined) return;
  const { provider, duration_ms, usage, cached } = complete;
  const told = [
    provider === 'embedded' ? 'Written by the embedded analyst' : `Written by a model of ${plainLine(provider, 60)}`,
    duration_ms > 0 ? `in ${duration(duration_ms)}` : '',
    cached ? '(a stored answer)' : '',
  ];
  const tokens =
    usage === null ? '' : ` · ${count(usage.input_tokens)} tokens read, ${count(usage.output_tokens)} written`;
  fill(
    parts.foot,
    `${told.filter((part) => part !== '').join(' ')}${tokens} · Session `,
    h('code', {}, plainLine(analysis.id, 128)),
  );
  parts.foot.hidden = false;
}
