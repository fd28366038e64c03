/** The embedded analyst: writes a verdict from the computed matches and gaps alone, and cites what it rests on. */
import { checkCitations, citedIds, MIN_FINDING_CITATIONS, MIN_PROFILE_CITATIONS } from './citations.ts';
import { type Finding, QUERY_ID } from './finding.ts';
import type { Gap, Strength } from './gaps.ts';
import { levelStrength } from './levels.ts';
import type { SkillMatch } from './matching.ts';
import type { ProfileEntry } from './profile.ts';
import { skillName } from './skills.ts';
import { byText, countOf, listOf, plainLine } from './text.ts';
import { type FitLevel, levelOf, type Verdict, type VerdictInput } from './verdict.ts';

const NAMED = 0.8;
const NEAR = 0.45;
const TELLING_QUERY = 4;
const SHOWN = { sources: 3, skills: 5 };
/** Strengths and gaps told one by one: the first number that keeps the text within its length. */
const DEPTHS = [4, 3, 2];
const MAX_WORDS = 350;

/** Writes the verdict. Deterministic; every id in it exists in the profile or the findings. */
export function composeVerdict(input: VerdictInput): Verdict {
  const note = noteOf(input);
  let text = '';
  for (const depth of DEPTHS) {
    text = textOf(input, depth, note);
    if (text.split(/\s+/).length <= MAX_WORDS) break;
  }
  const { cited } = checkCitations(text, input.profile, input.findings);
  const findingIds = new Set(input.findings.map((finding) => finding.id));
  return {
    text,
    citations: {
      profile: cited.filter((id) => !findingIds.has(id)),
      findings: cited.filter((id) => findingIds.has(id)),
    },
    ...(note === undefined ? {} : { note }),
  };
}

function textOf(input: VerdictInput, depth: number, note: string | undefined): string {
  const gaps = gapPart(input, depth);
  const body = [headline(input), basis(input), strengthPart(input, depth), gaps, recommendation(input)];
  const topUp = backgroundPart(input, body.join('\n\n'));
  return [...body.slice(0, 3), topUp, ...body.slice(3), note === undefined ? '' : `**Note.** ${note}`]
    .filter((part) => part !== '')
    .join('\n\n');
}

const cite = (id: string): string => `[${id}]`;
const sourcesOf = ({ findings }: VerdictInput): Finding[] =>
  findings.filter((finding) => finding.id !== QUERY_ID).sort((a, b) => b.score - a.score);
const queryOf = ({ findings }: VerdictInput): Finding | undefined => findings.find(({ id }) => id === QUERY_ID);

/** What the verdict is about: the source that bears the name, else the query in its own words. */
function subjectOf(input: VerdictInput): string {
  const [best] = sourcesOf(input);
  const query = queryOf(input);
  const telling = (query?.skills.length ?? 0) >= TELLING_QUERY;
  if (best !== undefined && best.score >= NAMED && !(telling && best.kind !== 'company')) return best.title;
  return telling ? 'the pasted description' : `“${plainLine(input.query, 60)}”`;
}

function headline(input: VerdictInput): string {
  const level = levelOf(input.matching);
  const { name, label } = input.profile;
  const who = label === undefined ? name : `${name}, ${label}`;
  if (level === 'unrated') return `**No rating for ${subjectOf(input)}.** Candidate: ${who}.`;
  const fit = isRough(input) ? 'Rough fit, from loosely related sources, for' : 'Fit for';
  return `**${fit} ${subjectOf(input)}: ${input.matching.score} of 100, a ${level} match.** Candidate: ${who}.`;
}

/** Whether neither the query itself nor a source that answers it well carries the score. */
function isRough(input: VerdictInput): boolean {
  const [best] = sourcesOf(input);
  return (queryOf(input)?.skills.length ?? 0) === 0 && (best === undefined || best.score < NEAR);
}

function basis(input: VerdictInput): string {
  const sources = sourcesOf(input);
  const query = queryOf(input) === undefined ? '' : ` ${cite(QUERY_ID)}`;
  const { requirements, matches } = input.matching;
  const asked = query === '' ? 'The query' : `The query${query}`;
  const shown = matches.filter((match) => match.score >= 0.7).length;
  const counted =
    requirements.length === 0
      ? 'None of it names a skill that could be measured, so there is no score to stand on.'
      : `Together they ask for ${countOf(requirements.length, 'skill')}, of which the profile shows ${shown} well. ` +
        'Each was weighed by how much it matters and how recently and how long it was practised.';
  return `${asked} ${comparedWith(sources, queryOf(input))} ${counted}`;
}

function comparedWith(sources: readonly Finding[], query: Finding | undefined): string {
  const best = sources[0];
  if (best === undefined) return 'matched no source, so only its own words could be compared with the profile.';
  const shown = sources.slice(0, SHOWN.sources).map((source) => `${source.title} ${cite(source.id)}`);
  const caution = sources.slice(0, SHOWN.sources).some((source) => source.illustrative === true)
    ? ` ${shown.length === 1 ? 'That description is' : 'Such descriptions are'} illustrative${best.as_of === undefined ? '' : ` (${best.as_of})`}, not a current opening.`
    : '';
  const own = query?.skills.length ?? 0;
  if (own >= TELLING_QUERY) {
    return `names ${countOf(own, 'skill')} of its own, which alone count; beside it stand ${listOf(shown)} for context.${caution}`;
  }
  if (best.score >= NAMED) return `was compared with ${listOf(shown)}.${caution}`;
  if (best.score >= NEAR) return `names no known company; the closest sources are ${listOf(shown)}.${caution}`;
  return `matched nothing by name. The nearest sources, only loosely related, are ${listOf(shown)}, so read what follows as a rough orientation.${caution}`;
}

function strengthPart(input: VerdictInput, depth: number): string {
  const { strengths } = input.gaps;
  if (strengths.length === 0) {
    const why =
      input.matching.requirements.length === 0 ? 'nothing measurable is asked for' : 'no skill asked for is shown well';
    return `**Strengths.** There are none to name: ${why}.`;
  }
  const lines = strengths.slice(0, depth).map((strength) => strengthLine(strength, input));
  const more = strengths.slice(depth, depth + 4).map(({ skill }) => skillName(skill));
  const rest = more.length === 0 ? '' : `\nAlso well covered: ${listOf(more)}.`;
  return `**Strengths**\n${lines.join('\n')}${rest}`;
}

function strengthLine({ skill, evidence }: Strength, input: VerdictInput): string {
  const match = input.matching.matches.find((candidate) => candidate.skill === skill);
  const proofs = bestProofs(evidence, input).map((entry) => `${proofLabel(entry)} ${cite(entry.id)}`);
  const years = match === undefined || match.years < 1 ? '' : `, ${countOf(Math.floor(match.years), 'year')} in all`;
  return `- **${skillName(skill)}**: ${listOf(proofs)}${years}.`;
}

/** What was done tells more than what is claimed: the first piece of work or project, then the strongest other. */
function bestProofs(evidence: readonly string[], { profile }: VerdictInput): ProfileEntry[] {
  const entries = evidence.flatMap((id) => profile.entries.find((entry) => entry.id === id) ?? []);
  const done = entries.find(({ kind }) => kind === 'work' || kind === 'project') ?? entries[0];
  const other = entries.find((entry) => entry !== done);
  return [done, other].filter((entry) => entry !== undefined);
}

function proofLabel({ kind, label, level }: ProfileEntry): string {
  if (kind === 'skill')
    return level === undefined ? 'a stated skill' : `stated level ${plainLine(level, 30).toLowerCase()}`;
  return kind === 'basics' ? 'the profile’s own summary' : label;
}

function gapPart(input: VerdictInput, depth: number): string {
  const { gaps } = input.gaps;
  if (gaps.length === 0) {
    const why = input.matching.requirements.length === 0 ? 'nothing was measured' : 'every skill asked for is shown';
    return `**Gaps.** None found: ${why}.`;
  }
  const shown = gaps.slice(0, depth);
  const lines = shown.map((gap, at) => {
    const told = shown.slice(0, at).find(({ suggestion }) => suggestion === gap.suggestion);
    return gapLine(
      told === undefined ? gap : { ...gap, suggestion: `the same as for ${skillName(told.skill)}` },
      input,
    );
  });
  const rest = gaps.length > depth ? `\n${countOf(gaps.length - depth, 'lesser gap')} not listed.` : '';
  return `**Gaps**\n${lines.join('\n')}${rest}`;
}

function gapLine({ skill, severity, from, suggestion }: Gap, { matching }: VerdictInput): string {
  const match = matching.matches.find((candidate) => candidate.skill === skill);
  const asked = from.slice(0, 2).map(cite).join(' ');
  return `- **${skillName(skill)}** (${severity}${asked === '' ? '' : `, asked for by ${asked}`}), ${stateOf(match)}: ${suggestion}.`;
}

function stateOf(match: SkillMatch | undefined): string {
  if (match === undefined || match.score === 0) return 'not shown';
  const [best] = match.evidence;
  return `partly covered${best === undefined ? '' : ` ${cite(best)}`}`;
}

/** Who the candidate is: where the strengths and gaps cite too few entries, or there is nothing to weigh them against. */
function backgroundPart(input: VerdictInput, written: string): string {
  const { entries, years } = input.profile;
  const cited = new Set(citedIds(written));
  const already = entries.filter((entry) => cited.has(entry.id)).length;
  const order = ['work', 'project', 'education', 'certificate', 'skill'];
  const rank = ({ kind }: ProfileEntry): number => (order.indexOf(kind) + order.length + 1) % (order.length + 1);
  const added = entries
    .filter((entry) => !cited.has(entry.id))
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, Math.max(0, MIN_PROFILE_CITATIONS - already));
  if (added.length === 0) return '';
  const labels = added.map((entry) => `${entry.label} ${cite(entry.id)}`);
  const listed = `**Background.** For orientation, the profile also lists ${listOf(labels)}.`;
  if (levelOf(input.matching) !== 'unrated') return listed;
  const skills = entries
    .filter((entry) => entry.kind === 'skill' && !added.includes(entry))
    .sort((a, b) => levelStrength(b.level) - levelStrength(a.level) || byText(a.id, b.id))
    .slice(0, SHOWN.skills)
    .map((entry) => `${skillName(entry.skills[0] ?? '')} ${cite(entry.id)}`);
  const lived = years < 1 ? '' : ` It covers ${countOf(Math.floor(years), 'year')} of work.`;
  const stated = skills.length === 0 ? '' : ` The skills stated at the highest level are ${listOf(skills)}.`;
  return `${listed}${lived}${stated} None of this speaks for or against the query; it shows what could be weighed once there is something to weigh it against.`;
}

const ADVICE: Readonly<Record<FitLevel, string>> = {
  strong:
    'Apply. The profile answers what matters most here; spend the preparation on telling two or three results in figures rather than on further study.',
  good: 'Apply, and name the open points before others do. The core is there, and what is missing can be learned within the first months.',
  partial:
    'Apply if the role is open to growth, or close one of the heavier gaps first. As it stands the profile convinces in part, and a short, honest plan for the rest will decide.',
  weak: 'Hold back for now, or look for a neighbouring role. Too much of what is asked for is not shown; the gaps above, in their order, are the way in.',
  unrated:
    'Ask again with a company’s full name or, better, with the whole job description: the more skills it names, the firmer the answer. Until then neither a recommendation nor a warning would be honest.',
};

const ROUGH_ADVICE =
  'Treat the score as a direction, not a decision: nothing found bears the name that was asked for. Give a company’s full name or paste the whole job description, and the same profile is weighed against what is really asked for.';

function recommendation(input: VerdictInput): string {
  const level = levelOf(input.matching);
  const lead = input.gaps.strengths[0];
  const proof = lead === undefined ? undefined : bestProofs(lead.evidence, input)[0];
  const opening =
    lead === undefined || proof === undefined || level === 'weak' || level === 'unrated'
      ? ''
      : ` Open with ${skillName(lead.skill)}, where the evidence weighs most ${cite(proof.id)}.`;
  if (level !== 'unrated' && isRough(input)) return `**Recommendation.** ${ROUGH_ADVICE}${opening}`;
  const [worst] = input.gaps.gaps;
  const first = worst === undefined || level === 'unrated' ? '' : ` First thing to work on: ${skillName(worst.skill)}.`;
  return `**Recommendation.** ${ADVICE[level]}${opening}${first}`;
}

function noteOf({ profile, findings }: VerdictInput): string | undefined {
  const entries = profile.entries.length;
  const parts = [
    entries < MIN_PROFILE_CITATIONS
      ? `the profile has ${entries === 0 ? 'no entries' : `only ${countOf(entries, 'entry', 'entries')}`}`
      : '',
    findings.length < MIN_FINDING_CITATIONS
      ? `there ${findings.length === 0 ? 'are no findings' : 'is only one finding'}`
      : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? undefined : capital(`${listOf(parts)}, so this verdict cites all there is.`);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
