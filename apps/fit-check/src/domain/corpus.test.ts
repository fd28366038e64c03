import { describe, expect, it } from 'vitest';
import { checkCorpus, loadCorpus, toEntries } from './corpus.ts';

const company = {
  id: 'company:x',
  name: 'X',
  aliases: [],
  industry: 'Tests',
  summary: 'Tests things.',
  technologies: ['Python'],
  locations: [],
  illustrative: true,
  as_of: '2026-11',
};
const job = { ...company, id: 'job:x', title: 'X', requirements: [{ skill: 'Python', level: 'must' }] };
const check = (companies: unknown, jobs: unknown = []) => checkCorpus({ companies, jobs });

describe('the bundled corpus', () => {
  const rows = loadCorpus();

  it('is large and varied', () => {
    expect(rows.companies.length).toBeGreaterThanOrEqual(36);
    expect(rows.jobs.length).toBeGreaterThanOrEqual(12);
    expect(new Set(rows.companies.map((row) => row.industry)).size).toBeGreaterThanOrEqual(12);
    for (const row of rows.companies) expect(row.technologies.length, row.id).toBeGreaterThanOrEqual(6);
    for (const row of rows.jobs) expect(row.requirements.length, row.id).toBeGreaterThanOrEqual(5);
  });

  it('says of every row where it comes from', () => {
    for (const row of [...rows.companies, ...rows.jobs]) {
      expect(row.as_of, row.id).toMatch(/^\d{4}-\d{2}/);
      expect(row.illustrative === true || row.source !== undefined, row.id).toBe(true);
    }
    for (const { finding } of toEntries(rows)) expect(finding).toMatchObject({ illustrative: true, as_of: '2026-11' });
  });

  it('names each skill once a row', () => {
    for (const { finding } of toEntries(rows)) expect(new Set(finding.skills).size).toBe(finding.skills.length);
    for (const row of rows.jobs) {
      expect(toEntries({ companies: [], jobs: [row] })[0]?.finding.demands?.length).toBe(row.requirements.length);
    }
  });
});

describe('checkCorpus', () => {
  it('takes a row with a source and a date', () => {
    const { illustrative, ...rest } = company;
    const row = { ...rest, source: 'https://example.com' };
    const [entry] = toEntries(check([row]));
    expect(entry?.finding).toMatchObject({ source: 'https://example.com', as_of: '2026-11' });
    expect(entry?.finding.illustrative).toBeUndefined();
  });

  it.each([
    ['no provenance', [{ ...company, illustrative: undefined }], [], /company:x needs a source/],
    ['illustrative false', [{ ...company, illustrative: false }], [], /company:x needs a source/],
    ['no date', [{ ...company, as_of: undefined }], [], /company:x: .*as_of/],
    ['a date in words', [{ ...company, as_of: 'today' }], [], /company:x: as_of/],
    ['an id of another kind', [{ ...company, id: 'job:x' }], [], /job:x: id/],
    ['an id twice', [company, company], [], /company:x is there twice/],
    ['an unknown skill', [{ ...company, technologies: ['Basket weaving'] }], [], /lacks: Basket weaving/],
    ['no technologies', [{ ...company, technologies: [] }], [], /company:x: technologies/],
    ['an unknown level', [], [{ ...job, requirements: [{ skill: 'Python', level: 'maybe' }] }], /job:x: requirements/],
    ['no list', {}, [], /companies must be a list/],
    ['no object', [null], [], /companies\[0\]/],
  ])('rejects %s', (_, companies, jobs, message) => {
    expect(() => check(companies, jobs)).toThrow(message);
  });
});
