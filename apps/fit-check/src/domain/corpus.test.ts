import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type CorpusRows, checkCorpus, loadCorpus } from './corpus.ts';
import { nameKey } from './names.ts';

const origin = { source: 'bundled corpus', as_of: '2026-11', illustrative: true };
const facts = {
  industry: 'Tests',
  country: 'Norway',
  summary: 'Tests things.',
  technologies: ['Python'],
  locations: ['Oslo'],
};
const { country: _, technologies: __, ...shared } = facts;
const company = { id: 'company:x', name: 'X', facts: [{ ...origin, ...facts }] };
const requirements = [{ skill: 'Python', level: 'must' }];
const job = { id: 'job:y', title: 'Y', facts: [{ ...origin, ...shared, requirements }] };
/** The company with its one statement changed. */
const told = (change: object) => ({ ...company, facts: [{ ...origin, ...facts, ...change }] });
const check = (companies: unknown, jobs: unknown = []): CorpusRows =>
  checkCorpus({
    companies: [{ name: 'companies/a.json', rows: companies }],
    jobs: [{ name: 'jobs/b.json', rows: jobs }],
  });

describe('the bundled corpus', () => {
  const rows = loadCorpus();
  const all = [...rows.companies, ...rows.jobs];

  it('is large and varied', () => {
    expect(rows.companies.length).toBeGreaterThanOrEqual(150);
    expect(rows.jobs.length).toBeGreaterThanOrEqual(30);
    expect(new Set(rows.companies.map((row) => row.industry)).size).toBeGreaterThanOrEqual(30);
    expect(new Set(rows.companies.map((row) => row.country)).size).toBeGreaterThanOrEqual(20);
    expect(new Set(rows.jobs.map((row) => row.industry)).size).toBeGreaterThanOrEqual(20);
    for (const row of rows.companies) expect(row.technologies.length, row.id).toBeGreaterThanOrEqual(6);
    for (const row of rows.jobs) {
      expect(row.requirements.length, row.id).toBeGreaterThanOrEqual(5);
      expect(
        row.requirements.some(({ level }) => level === 'must'),
        row.id,
      ).toBe(true);
    }
  });

  it('says of every fact where it comes from and as of when', () => {
    const names = 'aliases industry country summary culture technologies requirements locations'.split(' ');
    for (const row of all) {
      const stated = Object.keys(row).filter((key) => names.includes(key));
      expect(stated.length, row.id).toBeGreaterThanOrEqual(4);
      expect(Object.keys(row.provenance).sort(), row.id).toEqual(stated.sort());
      for (const { source, as_of, illustrative } of Object.values(row.provenance).flat()) {
        expect(as_of, row.id).toMatch(/^\d{4}-\d{2}/);
        expect(illustrative === true || URL.canParse(source), row.id).toBe(true);
      }
    }
  });

  it('is in good order', () => {
    expect(new Set(all.map((row) => row.id)).size).toBe(all.length);
    const keys = all.flatMap((row) => ['name' in row ? row.name : row.title, ...(row.aliases ?? [])]).map(nameKey);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('checkCorpus', () => {
  it('takes rows and gathers their facts', () => {
    const { companies, jobs } = check([company], [job]);
    expect(companies[0]).toMatchObject({ id: 'company:x', name: 'X', everyday: false, ...facts });
    expect(companies[0]?.provenance).toMatchObject({ summary: [origin], locations: [origin] });
    expect(jobs[0]).toMatchObject({ id: 'job:y', title: 'Y', requirements });
  });

  it('takes the row that the guide shows', () => {
    const guide = readFileSync(new URL('../../assets/corpus/README.md', import.meta.url), 'utf8');
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(guide) ?? [];
    expect(check([JSON.parse(example)]).companies[0]?.locations).toEqual(['Oslo', 'Bergen']);
  });

  it('keeps for each fact what it was told by: lists of several statements add up', () => {
    const cited = { source: 'https://example.com/about', as_of: '2026-10-02' };
    const [row] = check([
      { ...company, facts: [...company.facts, { ...cited, technologies: ['Go'], culture: 'Calm.' }] },
    ]).companies;
    expect(row).toMatchObject({ technologies: ['Python', 'Go'], culture: 'Calm.' });
    expect(row?.provenance).toMatchObject({ culture: [cited], technologies: [origin, cited], industry: [origin] });
  });

  it.each([
    ['no source', told({ source: undefined }), /facts\.0.*source/],
    ['an empty source', told({ source: ' ' }), /facts\.0\.source/],
    [
      'a source that is no address and not illustrative',
      told({ illustrative: undefined }),
      /must be an address.*bundled/,
    ],
    [
      'a source that no browser opens',
      told({ source: 'ftp://example.com', illustrative: undefined }),
      /must be an address/,
    ],
    ['no date', told({ as_of: undefined }), /facts\.0.*as_of/],
    ['a date in words', told({ as_of: 'today' }), /facts\.0\.as_of/],
    ['a date that no calendar has', told({ as_of: '2026-13' }), /facts\.0\.as_of/],
    ['no statement', { ...company, facts: [] }, /facts/],
    ['a statement without a fact', { ...company, facts: [...company.facts, origin] }, /holds no fact/],
    [
      'a fact told twice',
      { ...company, facts: [...company.facts, { ...origin, summary: 'Other.' }] },
      /summary is told twice/,
    ],
    ['a fact outside a statement', { ...company, summary: 'Tests.' }, /summary/],
    ['a fact that nobody knows', told({ tecnologies: ['Go'] }), /tecnologies/],
    ['a missing fact', told({ summary: undefined }), /summary/],
    ['an empty fact', told({ summary: '' }), /facts\.0\.summary/],
    ['a blank fact', told({ industry: '  ' }), /facts\.0\.industry/],
    ['no technologies', told({ technologies: [] }), /facts\.0\.technologies/],
    ['an empty town', told({ locations: ['Oslo', ''] }), /facts\.0\.locations\.1/],
    ['an unknown skill', told({ technologies: ['Basket weaving'] }), /taxonomy lacks: Basket weaving/],
    ['a skill twice', told({ technologies: ['Go', 'golang'] }), /skill twice: golang/],
    ['an id of another kind', { ...company, id: 'job:x' }, /row job:x: id/],
    ['an alias that is the name', told({ aliases: ['X Inc'] }), /“X Inc”/],
    ['an alias twice', told({ aliases: ['Ypsilon', 'ypsilon AG'] }), /“ypsilon AG”/],
    ['an alias that is no word', told({ aliases: ['🙂'] }), /neither letter nor digit/],
    ['no object', null, /row number 1/],
  ])('rejects %s, and names file and row', (_, row, message) => {
    expect(() => check([row])).toThrow(message);
    expect(() => check([row])).toThrow(/^Corpus file companies\/a\.json, row (company:x|job:x|number 1)\b/);
  });

  it.each([
    ['an unknown level', [{ skill: 'Python', level: 'maybe' }], /facts\.0\.requirements\.0/],
    ['years without end', [{ skill: 'Python', level: 'must', years: 99 }], /requirements\.0\.years/],
    ['no requirement', [], /facts\.0\.requirements/],
    ['an unknown skill', [{ skill: 'Basket weaving', level: 'must' }], /lacks: Basket weaving/],
  ])('rejects a job with %s', (_, wrong, message) => {
    expect(() => check([], [{ ...job, facts: [{ ...origin, ...shared, requirements: wrong }] }])).toThrow(message);
  });

  it('rejects ids and names that are taken, whichever the file', () => {
    expect(() => check([company, company])).toThrow(/row company:x is there twice/);
    const namesake = { ...told({ aliases: ['x group'] }), id: 'company:z', name: 'Z' };
    expect(() => check([company, namesake])).toThrow(
      /row company:z bears a name that is taken, “x group” \(.*company:x/,
    );
    expect(() => check([company], [{ ...job, title: 'x' }])).toThrow(/row job:y bears a name that is taken, “x”/);
  });

  it('rejects what is no list', () => {
    expect(() => check({})).toThrow('Corpus file companies/a.json must be a list of rows');
  });
});

describe('loadCorpus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fit-check-corpus-'));
  const at = pathToFileURL(`${folder}/`);
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads every JSON file of both folders, and says which one is broken', () => {
    mkdirSync(join(folder, 'companies'), { recursive: true });
    mkdirSync(join(folder, 'jobs'));
    write('companies/b.json', JSON.stringify([company]));
    write('companies/a.json', JSON.stringify([{ ...company, id: 'company:z', name: 'Z' }]));
    write('companies/README.md', 'Not a row.');
    expect(() => loadCorpus(at)).toThrow('Corpus folder jobs holds no JSON file');
    write('jobs/c.json', JSON.stringify([job]));
    expect(loadCorpus(at).companies.map((row) => row.id)).toEqual(['company:z', 'company:x']);
    write('companies/b.json', '[{ "id": ');
    expect(() => loadCorpus(at)).toThrow(/^Corpus file companies\/b\.json cannot be read: .*JSON/);
    write('companies/b.json', JSON.stringify([told({ as_of: undefined })]));
    expect(() => loadCorpus(at)).toThrow(/^Corpus file companies\/b\.json, row company:x: .*as_of/);
  });
});
