import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { loadCorpus } from './corpus.ts';
import { createCorpus } from './search.ts';

const corpus = createCorpus();
const ids = (query: string, limit?: number) => corpus.search(query, limit).map((finding) => finding.id);

describe('search by name', () => {
  it.each([
    ['Google', 'company:google'],
    ['google llc', 'company:google'],
    ['gogle', 'company:google'],
    ['Mircosoft', 'company:microsoft'],
    ['spotfiy', 'company:spotify'],
    ['Instagram', 'company:meta'],
    ['BMW AG', 'company:bmw'],
    ['A.P. Møller Mærsk', 'company:maersk'],
    ['react developer at Spotify', 'company:spotify'],
    ['how well do I fit databriks', 'company:databricks-inc'],
    ['backend engineer', 'job:backend-node-01'],
    ['registered nurse', 'job:nurse-01'],
  ])('%j leads to %s', (query, id) => {
    expect(ids(query)[0]).toBe(id);
  });

  it('puts every company first by its own name, and by each alias', () => {
    for (const row of loadCorpus().companies) {
      expect(corpus.search(row.name)[0], row.name).toMatchObject({ id: row.id, score: 1 });
      for (const alias of row.aliases ?? []) expect(ids(alias)[0], alias).toBe(row.id);
    }
  });

  it('puts every job first by its title, and by each alias', () => {
    for (const row of loadCorpus().jobs) {
      expect(corpus.search(row.title)[0], row.title).toMatchObject({ id: row.id, score: 1 });
      for (const alias of row.aliases ?? []) expect(ids(alias)[0], alias).toBe(row.id);
    }
  });

  it.each([
    ['java developer who needs visa sponsorship', 'company:visa'],
    ['shell scripting and linux', 'company:shell'],
    ['Data engineer, Snowflake and dbt', 'company:snowflake-inc'],
    ['block storage engineer', 'company:block'],
    ['snowflake engineer', 'company:snowflake-inc'],
    ['github actions ci', 'company:github'],
  ])('%j does not ask for %s first', (query, id) => {
    expect(ids(query)[0]).not.toBe(id);
    expect(corpus.search(query).find((finding) => finding.id === id)?.score ?? 0).toBeLessThan(0.8);
  });

  it.each([
    ['product manager at visa', 'company:visa'],
    ['would I fit Shell?', 'company:shell'],
    ['applying to Snowflake', 'company:snowflake-inc'],
    ['Block is hiring', 'company:block'],
  ])('%j asks for %s', (query, id) => {
    expect(corpus.search(query)[0]).toMatchObject({ id, score: expect.toSatisfy((score: number) => score >= 0.8) });
  });

  it('sets related jobs beside a named company, well below it', () => {
    const [first, ...rest] = corpus.search('Anthropic');
    expect(first?.id).toBe('company:anthropic');
    expect(rest.map((finding) => finding.id)).toContain('job:ai-engineer-01');
    expect(rest.every((finding) => finding.score < 0.4)).toBe(true);
  });

  it('prefers the longer of two names, one inside the other', () => {
    expect(ids('jobs at Siemens Healthineers in Erlangen')[0]).toBe('company:siemens-healthineers');
    expect(ids('google deepmind researcher')[0]).toBe('company:deepmind');
  });

  it('puts first, of two that are named alike, the one that the rest of the query speaks of', () => {
    expect(ids('data analyst or data scientist, machine learning and scikit-learn')[0]).toBe('job:data-scientist-01');
    expect(ids('data scientist or data analyst, dashboards in Tableau')[0]).toBe('job:data-analyst-01');
  });

  it('does not take everyday words for names', () => {
    expect(ids('looking for a job')).toEqual([]);
    expect(ids('xyzzy plugh')).toEqual([]);
  });
});

describe('search by content', () => {
  it('finds by skills and words, loosely where little fits', () => {
    expect(ids('kubernetes terraform prometheus')).toContain('job:sre-01');
    expect(ids('container shipping')[0]).toBe('company:maersk');
    expect(corpus.search('Test logging').every((finding) => finding.score < 0.6)).toBe(true);
  });

  it('respects the limit and gives complete findings', () => {
    const found = corpus.search('python', 3);
    expect(found).toHaveLength(3);
    for (const finding of found) {
      expect(finding).toMatchObject({ source: 'bundled corpus', as_of: '2026-11', illustrative: true });
      expect(finding.skills.length).toBeGreaterThan(0);
    }
    expect(corpus.search('python', 0)).toEqual([]);
    expect(corpus.search('   ')).toEqual([]);
  });

  it('gives the same answer every time', () => {
    expect(corpus.search('senior typescript engineer')).toEqual(createCorpus().search('senior typescript engineer'));
  });

  it('never throws, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (query) => {
        for (const { score } of corpus.search(query)) expect(score > 0 && score <= 1).toBe(true);
      }),
    );
  });
});

describe('a pasted job description', () => {
  const paragraph =
    'Join Zalando in Berlin as a backend engineer. You write Node.js and TypeScript services over PostgreSQL and Redis, run them with Docker ' +
    'and Kubernetes, and care for automated testing. Experience with Snowflake and Oracle Database helps. Visa sponsorship available.\n';
  const pasted = paragraph.repeat(80).slice(0, 20_000);

  it('finds the employer and the like jobs, not every product it names', () => {
    const found = ids(pasted, 4);
    expect(found[0]).toBe('company:zalando');
    expect(found).toContain('job:backend-node-01');
    expect(found).not.toContain('company:snowflake-inc');
  });

  it.each(['a', 'a b ', 'Amazon ', '🙂', 'go, r, c '])(
    'its time grows with the text, not with its square: %j',
    (piece) => {
      expect(growth((text) => corpus.search(text), piece.repeat(Math.floor(2000 / piece.length)))).toBeLessThan(40);
    },
  );
});

describe('createCorpus', () => {
  it('does with no rows', () => {
    const empty = createCorpus({ companies: [], jobs: [] });
    expect(empty.size).toBe(0);
    expect(empty.search('Google')).toEqual([]);
  });
});
