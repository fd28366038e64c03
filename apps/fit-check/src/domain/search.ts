/** The search over the bundled corpus: names first, however they are typed, then skills and words. */
import { type CorpusRows, loadCorpus } from './corpus.ts';
import { type CorpusEntry, toEntries } from './entries.ts';
import { type Finding, SHORT_QUERY } from './finding.ts';
import { createNameIndex } from './name-index.ts';
import { raise, type Scores } from './scores.ts';
import { createSkillIndex, type SkillIndex } from './skill-index.ts';
import { countSkills } from './skills.ts';
import { byText, round } from './text.ts';
import { createWordIndex } from './word-index.ts';

export interface Corpus {
  /** Rows that can be found. */
  readonly size: number;
  /**
   * The findings that answer a query best, best first, at most `limit`; none for a query that nothing answers.
   * A name, possibly misspelt, a sentence or a pasted text of 20,000 characters will do.
   */
  search(query: string, limit?: number): Finding[];
}

const BY_WORDS = { short: 0.7, long: 0.5 };
const BY_SKILLS = { short: 0.6, long: 0.8 };
/** A company knows many skills, a job asks for its own. */
const COMPANY_SKILLS = 0.95;
/** How much of what is missing to a name the weaker of words and skills adds to the stronger. */
const SECOND = 0.5;
/** What a word adds that happens to be a name. Alone it is too little for the row to be weighed. */
const HINT = 0.2;
const NAMED = 0.8;
const BELOW_NAMES = 0.79;
const RELATED = 0.35;
const FLOOR = 0.12;
const DEFAULT_LIMIT = 6;
const TOP_SKILLS = 20;

/** Loads the bundled corpus, or takes rows, and indexes it. Throws where a row is not as it must be. */
export function createCorpus(rows: CorpusRows = loadCorpus()): Corpus {
  const entries = toEntries(rows);
  const byId = new Map(entries.map((entry) => [entry.finding.id, entry]));
  const names = createNameIndex(entries);
  const words = createWordIndex(entries);
  const skills = createSkillIndex(entries);

  function scoreContent(query: string, short: boolean): Scores {
    const named = topSkills(query);
    const bySkills = short ? skills.covering(named) : skills.resembling(named);
    const byWords = short ? words.scoreQuery(query) : words.scoreText(query);
    const length = short ? 'short' : 'long';
    const scores: Scores = new Map();
    for (const { finding } of entries) {
      const skilled = (bySkills.get(finding.id) ?? 0) * BY_SKILLS[length];
      const own = finding.kind === 'job' ? skilled : skilled * COMPANY_SKILLS;
      const told = (byWords.get(finding.id) ?? 0) * BY_WORDS[length];
      const best = Math.max(own, told);
      raise(scores, finding.id, best + (BELOW_NAMES - best) * SECOND * Math.min(own, told));
    }
    return scores;
  }

  function rank(query: string): [id: string, score: number][] {
    const short = query.length <= SHORT_QUERY;
    const content = scoreContent(query, short);
    const named = short ? names.inQuery(query, words.knows) : { scores: names.inText(query), hinted: [] };
    const scores: Scores = new Map(content);
    for (const id of named.hinted) raise(scores, id, Math.min(BELOW_NAMES, HINT + (content.get(id) ?? 0)));
    for (const [id, score] of named.scores) raise(scores, id, score);
    scoreRelated(entries, byId, skills, scores);
    const contentOf = (id: string): number => content.get(id) ?? 0;
    return [...scores]
      .filter(([, score]) => score >= FLOOR)
      .sort(([idA, a], [idB, b]) => b - a || contentOf(idB) - contentOf(idA) || byText(idA, idB));
  }

  return {
    size: entries.length,
    search(query, limit = DEFAULT_LIMIT) {
      if (limit < 1 || query.trim() === '') return [];
      return rank(query.trim())
        .slice(0, Math.floor(limit))
        .flatMap(([id, score]) => {
          const entry = byId.get(id);
          return entry === undefined ? [] : [{ ...entry.finding, score: round(score, 3) }];
        });
    },
  };
}

function topSkills(query: string): string[] {
  return [...countSkills(query)]
    .sort(([a, countA], [b, countB]) => countB - countA || byText(a, b))
    .slice(0, TOP_SKILLS)
    .map(([skill]) => skill);
}

/** Beside a company that was named stand the two jobs most like its technologies, and the other way round. */
function scoreRelated(
  entries: readonly CorpusEntry[],
  byId: ReadonlyMap<string, CorpusEntry>,
  skills: SkillIndex,
  scores: Scores,
): void {
  const [named] = [...scores].filter(([, score]) => score >= NAMED).sort(([, a], [, b]) => b - a);
  const origin = named === undefined ? undefined : byId.get(named[0]);
  if (origin === undefined) return;
  const others = entries
    .filter(({ finding }) => finding.kind !== origin.finding.kind)
    .map(({ finding }) => ({ id: finding.id, alike: skills.alike(origin.finding.id, finding.id) }))
    .sort((a, b) => b.alike - a.alike || byText(a.id, b.id));
  for (const { id, alike } of others.slice(0, 2)) raise(scores, id, RELATED * Math.sqrt(alike));
}
