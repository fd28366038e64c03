/** What is missing, how much that matters, and what would close it; and what already carries the application. */
import type { Finding } from './finding.ts';
import type { Matching, Requirement, SkillMatch } from './matching.ts';
import type { Profile } from './profile.ts';
import { skillCategory, skillName } from './skills.ts';
import type { SkillCategory } from './taxonomy.ts';
import { byText } from './text.ts';

export type Severity = 'high' | 'medium' | 'low';

export interface Gap {
  readonly skill: string;
  readonly severity: Severity;
  /** Ids of the findings that ask for it. */
  readonly from: readonly string[];
  /** Ids of the profile's entries that show a part of it, or something close to it, strongest first. */
  readonly evidence: readonly string[];
  /** What would close it: one sentence without its full stop. */
  readonly suggestion: string;
}

export interface Strength {
  readonly skill: string;
  /** Ids of the profile's entries that show it, strongest first. */
  readonly evidence: readonly string[];
}

export interface GapAnalysis {
  /** Most severe first. */
  readonly gaps: readonly Gap[];
  /** What weighs most for this query first. */
  readonly strengths: readonly Strength[];
}

const STRONG = 0.7;
const MISSING = 0.6;
const MAX_GAPS = 12;
const MAX_STRENGTHS = 12;
const RANK: Readonly<Record<Severity, number>> = { high: 0, medium: 1, low: 2 };

const CLOSED_BY: Readonly<Record<SkillCategory, string>> = {
  language: 'write one small tool or service in it and have it reviewed by someone who uses it daily',
  frontend: 'rebuild one existing screen with it and publish the result',
  backend: 'build one small service with it, with tests and a deployment',
  mobile: 'ship a small app to a test track, from design to release',
  database: 'model one real data set in it and measure its queries under load',
  data: 'build one pipeline or report with it on public data and write up what it showed',
  ai: 'build and evaluate one working prototype, with figures for its quality',
  cloud: 'run one service on it end to end and take the associate certificate',
  devops: 'bring it into one existing project and show before and after',
  security: 'threat-model one own service and fix what it shows, or take a recognised course',
  architecture: 'write a design document for a past system that shows the trade-offs, and discuss it in the interview',
  testing: 'add it to one existing project and let it run on every change',
  method: 'take the role for one project and record what changed',
  design: 'add a case study that goes from research to the shipped result',
  business: 'take on a task in this area in the present role and record the outcome in figures',
  finance: 'work one public company’s figures through as a case, and take a recognised course with an exam',
  legal: 'this needs legal training or work under supervision; a secondment or a specialist course is the way in',
  people: 'take over one such process for a team and record what it changed',
  care: 'this needs formal training and supervised practice; plan for it or aim at a neighbouring role',
  science:
    'this needs time at the bench or in a study; a course with practical work and one documented result is the way in',
  engineering: 'carry one design through to its calculation or test, and show the drawings or the model',
  manufacturing: 'spend time on the shop floor with it and document one improvement with figures before and after',
  energy: 'take a specialist course and work one real site or plant through as a case',
  logistics: 'take on one flow of goods, from order to delivery, and record the cost and time that changed',
  education: 'teach one course or workshop and record how the learners fared',
  media: 'publish two or three pieces and put them into a portfolio',
  public: 'work on one public programme or its evaluation, in office or as a volunteer',
  trades: 'this needs training on the job; a placement or an apprenticeship is the way in',
  credential:
    'this is a licence, exam or clearance: had, or not; say when it will be, or aim at a role that does not need it',
  soft: 'name one situation that shows it, with the outcome, in the profile',
  spoken: 'take a course to the level asked for and add its certificate to the profile',
};
const CLOSED_OTHERWISE = 'add one piece of work to the profile that shows it';
/** Years after which work with a skill is called long ago. */
const LONG_AGO = 4;

/** `profile` and `findings` are those that `matching` was computed from. */
export function analyseGaps(profile: Profile, findings: readonly Finding[], matching: Matching): GapAnalysis {
  const known = new Set(findings.map((finding) => finding.id));
  const entries = new Set(profile.entries.map((entry) => entry.id));
  const pairs = matching.requirements.flatMap((requirement, at) => {
    const match = matching.matches[at];
    return match === undefined ? [] : [{ requirement, match }];
  });
  const top = matching.requirements[0]?.weight ?? 0;
  const year = Number(profile.asOf.slice(0, 4));
  const gaps = pairs
    .filter(({ match }) => match.score < MISSING)
    .map(({ requirement, match }) => ({
      ...toGap(requirement, match, { top, known, year }),
      weight: requirement.weight,
    }))
    .sort((a, b) => RANK[a.severity] - RANK[b.severity] || b.weight - a.weight || byText(a.skill, b.skill))
    .slice(0, MAX_GAPS)
    .map(({ weight, ...gap }) => gap);
  const strengths = pairs
    .filter(({ match }) => match.score >= STRONG && match.via === undefined)
    .sort((a, b) => worth(b) - worth(a) || byText(a.match.skill, b.match.skill))
    .slice(0, MAX_STRENGTHS)
    .map(({ match }) => ({ skill: match.skill, evidence: match.evidence.filter((id) => entries.has(id)) }));
  return { gaps, strengths };
}

const worth = ({ requirement, match }: { requirement: Requirement; match: SkillMatch }): number =>
  requirement.weight * match.score;

interface Frame {
  /** The weight of what weighs most. */
  readonly top: number;
  readonly known: ReadonlySet<string>;
  /** The profile's. */
  readonly year: number;
}

function toGap(requirement: Requirement, match: SkillMatch, { top, known, year }: Frame): Gap {
  return {
    skill: requirement.skill,
    severity: severityOf(requirement, match, top),
    from: requirement.from.filter((id) => known.has(id)),
    evidence: match.evidence,
    suggestion: suggestionFor(requirement, match, year),
  };
}

function severityOf({ must, weight }: Requirement, { score }: SkillMatch, top: number): Severity {
  const heavy = weight >= top * 0.6;
  if (score < 0.3) return must && heavy ? 'high' : must || heavy ? 'medium' : 'low';
  return must && heavy ? 'medium' : 'low';
}

function suggestionFor({ skill, years }: Requirement, match: SkillMatch, year: number): string {
  const { via, years: had, evidence, until } = match;
  const category = skillCategory(skill);
  const closing = category === undefined ? CLOSED_OTHERWISE : CLOSED_BY[category];
  if (via !== undefined) return `start from ${skillName(via)}, which is close, and ${closing}`;
  if (years !== undefined && had < years && evidence.length > 0) {
    return `${years} years are asked for and ${had} are shown: lead with the depth of that work, and ${closing}`;
  }
  if (until !== undefined && until <= year - LONG_AGO) return `last shown in ${until}: ${closing}`;
  return closing;
}
