/** What the verdict rests on: skills as bars, gaps, sources and the profile's entries. */
import type { Analysis, Evidence } from '../model/analysis.ts';
import type { Gap, Match } from '../model/data.ts';
import { bar, h, icon, unseen } from './dom.ts';
import { anchorOf, nameOfId } from './format.ts';
import { citation } from './verdict.ts';

/** A skill at this share is shown well; below the second, hardly. */
const WELL = 0.7;
const PARTLY = 0.45;

export function matchList(matches: readonly Match[]): HTMLElement {
  const item = ({ skill, score, evidence, via }: Match): HTMLElement => {
    const percent = `${Math.round(score * 100)} %`;
    return h(
      'li',
      { class: 'match' },
      h(
        'span',
        { class: 'match-name' },
        skill,
        via !== undefined && h('span', { class: 'muted' }, ` by way of ${via}`),
      ),
      h('span', { class: 'match-score' }, percent),
      bar(score, score >= WELL ? 'well' : score >= PARTLY ? 'partly' : 'hardly'),
      cites(evidence.slice(0, 3), 'Shown by'),
    );
  };
  return h('ul', { class: 'matches plain' }, ...matches.map(item));
}

const SEVERITIES: Readonly<Record<string, string>> = { high: 'High', medium: 'Medium', low: 'Low' };

export function gapList(gaps: readonly Gap[]): HTMLElement {
  if (gaps.length === 0) return h('p', { class: 'muted' }, 'None found.');
  const item = ({ skill, severity, from, suggestion }: Gap): HTMLElement =>
    h(
      'li',
      { class: 'gap' },
      h(
        'p',
        { class: 'gap-head' },
        h('strong', {}, skill),
        h('span', { class: `tag ${severity}` }, SEVERITIES[severity] ?? '', unseen(' severity')),
      ),
      suggestion !== '' && h('p', {}, sentence(suggestion)),
      cites(from.slice(0, 3), 'Asked for by'),
    );
  return withMore(gaps, 4, (some) => h('ul', { class: 'gaps plain' }, ...some.map(item)));
}

/** The first of a list, and a fold for the others. */
function withMore<T>(all: readonly T[], shown: number, list: (some: readonly T[]) => HTMLElement): HTMLElement {
  const rest = all.slice(shown);
  // A fold for one would save nothing.
  if (rest.length < 2) return list(all);
  const more = h('details', { class: 'more' }, h('summary', {}, `${rest.length} more`), list(rest));
  return h('div', {}, list(all.slice(0, shown)), more);
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

function cites(ids: readonly string[], lead: string): HTMLElement | undefined {
  if (ids.length === 0) return undefined;
  return h('span', { class: 'cites' }, unseen(`${lead} `), ...ids.map(citation));
}

/** Two lists: what was found, and what of the profile shows something. */
export function evidenceLists({ evidence }: Analysis): HTMLElement {
  const findings = evidence.filter(({ finding }) => finding !== undefined);
  const entries = evidence.filter(({ finding }) => finding === undefined);
  return h(
    'div',
    { class: 'evidence' },
    findings.length > 0 && h('h4', {}, 'What was found'),
    findings.length > 0 && withMore(findings, 6, sourceList),
    entries.length > 0 && h('h4', {}, 'From the profile'),
    entries.length > 0 && withMore(entries, 8, sourceList),
  );
}

function sourceList(some: readonly Evidence[]): HTMLElement {
  return h('ul', { class: 'sources plain' }, ...some.map(evidenceItem));
}

function evidenceItem(evidence: Evidence): HTMLElement {
  const { id, finding, label, shows } = evidence;
  const title = finding?.title ?? label ?? nameOfId(id);
  const link = finding?.url;
  const shown =
    link === undefined
      ? h('bdi', {}, title)
      : h(
          'a',
          { href: link, rel: 'noopener noreferrer nofollow', target: '_blank' },
          h('bdi', {}, title),
          icon('out'),
          unseen(' (opens in a new tab)'),
        );
  return h(
    'li',
    // The target of citations: it takes the focus, so that reading goes on from here.
    { id: anchorOf(id), tabindex: '-1', class: 'source' },
    h('span', { class: 'source-id' }, id),
    h(
      'div',
      { class: 'source-text' },
      h('p', { class: 'source-title' }, shown),
      h('p', { class: 'muted' }, finding === undefined ? shownBy(shows) : about(finding)),
    ),
  );
}

function shownBy(shows: readonly string[]): string {
  if (shows.length === 0) return 'Cited in the verdict';
  const more = shows.length > 6 ? ` and ${shows.length - 6} more` : '';
  return `Shows ${shows.slice(0, 6).join(', ')}${more}`;
}

function about({ id, source, asOf, illustrative, score }: NonNullable<Evidence['finding']>): string {
  if (id.startsWith('query:')) return 'What was asked, in its own words';
  const parts = [
    source,
    asOf,
    illustrative ? 'illustrative, not a current opening' : undefined,
    score === undefined ? undefined : `relevance ${Math.round(score * 100)} %`,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}
