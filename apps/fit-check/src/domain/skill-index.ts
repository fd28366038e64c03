/** The rows of the corpus by the skills that they name, where rare skills tell more than common ones. */
import type { CorpusEntry } from './entries.ts';
import type { Scores } from './scores.ts';

export interface SkillIndex {
  /** How much of what a short query asks for a row offers: 0 to 1. */
  covering(skills: readonly string[]): Scores;
  /** How alike a row's skills and those of a pasted text are as a whole: 0 to 1. */
  resembling(skills: readonly string[]): Scores;
  /** How alike two rows are: 0 to 1. */
  alike(id: string, other: string): number;
}

type Weights = ReadonlyMap<string, number>;

interface Row {
  readonly weights: Weights;
  readonly wished: ReadonlySet<string>;
}

const LEVELS = { must: 1, nice: 0.6, named: 0.8 };
/** What years are asked for is at a job's core: each adds this much, up to five. */
const PER_YEAR = 0.1;
const MOST_YEARS = 5;
/** What is only wished for answers a query less than what is at a job's core. */
const WISHED = 0.85;
/** Rows that offer all that is asked for are told apart by how little else they ask for. */
const FOCUS = 0.1;

export function createSkillIndex(entries: readonly CorpusEntry[]): SkillIndex {
  const held = new Map<string, number>();
  for (const skill of entries.flatMap(({ finding }) => finding.skills)) held.set(skill, (held.get(skill) ?? 0) + 1);
  const telling = (skill: string): number => Math.log(1 + (entries.length + 1) / (1 + (held.get(skill) ?? 0)));
  const rows = new Map(entries.map((entry) => [entry.finding.id, toRow(entry, telling)]));
  const asked = (skills: readonly string[]): Weights => new Map(skills.map((skill) => [skill, telling(skill)]));
  const scoreEach = (score: (row: Row) => number): Scores => new Map([...rows].map(([id, row]) => [id, score(row)]));

  return {
    covering(skills) {
      const query = asked(skills);
      return scoreEach((row) => (1 - FOCUS) * share(query, row) + FOCUS * cosine(query, row.weights));
    },
    resembling(skills) {
      const query = asked(skills);
      return scoreEach((row) => cosine(query, row.weights));
    },
    alike: (id, other) => cosine(rows.get(id)?.weights ?? new Map(), rows.get(other)?.weights ?? new Map()),
  };
}

function toRow({ finding }: CorpusEntry, telling: (skill: string) => number): Row {
  const demands = new Map(finding.demands?.map((demand) => [demand.skill, demand]));
  const weights = new Map(
    finding.skills.map((skill) => {
      const { level = 'named', years = 0 } = demands.get(skill) ?? {};
      return [skill, telling(skill) * LEVELS[level] * (1 + PER_YEAR * Math.min(years, MOST_YEARS))];
    }),
  );
  return { weights, wished: new Set(finding.skills.filter((skill) => demands.get(skill)?.level === 'nice')) };
}

function share(query: Weights, { weights, wished }: Row): number {
  let all = 0;
  let offered = 0;
  for (const [skill, weight] of query) {
    all += weight;
    if (weights.has(skill)) offered += wished.has(skill) ? weight * WISHED : weight;
  }
  return all === 0 ? 0 : offered / all;
}

function cosine(a: Weights, b: Weights): number {
  let product = 0;
  for (const [skill, weight] of a) product += weight * (b.get(skill) ?? 0);
  return product === 0 ? 0 : product / (lengthOf(a) * lengthOf(b));
}

function lengthOf(weights: Weights): number {
  let sum = 0;
  for (const weight of weights.values()) sum += weight * weight;
  return Math.sqrt(sum);
}
