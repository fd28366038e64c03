import { describe, expect, it } from 'vitest';
import type { CorpusEntry, EntryName } from './entries.ts';
import { createNameIndex } from './name-index.ts';

const name = (text: string, means?: EntryName['means']): EntryName => ({ text, means });
const entry = (id: string, ...names: EntryName[]): CorpusEntry => ({
  finding: {
    id,
    kind: id.startsWith('job') ? 'job' : 'company',
    title: names[0]?.text ?? '',
    summary: '',
    skills: [],
    source: 'x',
  },
  names,
  industry: '',
  places: [],
});
const index = createNameIndex([
  entry('company:visa', name('Visa', 'word')),
  entry('company:siemens', name('Siemens')),
  entry('company:healthineers', name('Siemens Healthineers'), name('Healthineers')),
  entry('company:boeing', name('Boeing')),
  entry('company:microsoft', name('Microsoft')),
  entry('company:snowflake', name('Snowflake', 'technology')),
  entry('job:data', name('Data Engineer'), name('pipeline builder')),
]);
const nothing = (_word: string): boolean => false;
const inQuery = (query: string, isWord = nothing) => Object.fromEntries(index.inQuery(query, isWord).scores);
const inText = (text: string) => Object.fromEntries(index.inText(text));

describe('names in a short query', () => {
  it('count most where they are all of it, less as an alias, less in passing', () => {
    expect(inQuery('SIEMENS AG')).toEqual({ 'company:siemens': 1 });
    expect(inQuery('healthineers')).toEqual({ 'company:healthineers': 0.97 });
    expect(inQuery('data developer')).toEqual({ 'job:data': 1 });
    const { 'company:siemens': company = 0, 'job:data': job = 0 } = inQuery('data engineer at siemens');
    expect(company).toBeGreaterThan(job);
    expect(job).toBeGreaterThan(0.8);
    expect(company).toBeLessThan(0.97);
  });

  it('shadow those inside them', () => {
    expect(Object.keys(inQuery('a nurse at siemens healthineers'))).toEqual(['company:healthineers']);
  });

  it('that are everyday words are only hints, unless an employer is spoken of', () => {
    const { scores, hinted } = index.inQuery('engineer with visa sponsorship', nothing);
    expect([...scores]).toEqual([]);
    expect([...hinted]).toEqual(['company:visa']);
    expect(inQuery('snowflake pipelines')).toEqual({});
    for (const query of ['engineer at visa', 'apply to visa now', 'visa is hiring', 'visa']) {
      expect(Object.keys(inQuery(query)), query).toEqual(['company:visa']);
    }
  });

  it('are not the beginning of a technology', () => {
    expect(inQuery('microsoft excel and power bi')).toEqual({});
    expect(inQuery('excel at microsoft')).toHaveProperty('company:microsoft');
    expect(inText('Microsoft Azure engineers wanted')).toEqual({});
  });

  it('are found with slips, fewer of them the better, unless the word is one of the language', () => {
    const [one = 0, two = 0] = ['simens healthineers', 'simens healthiners'].map(
      (query) => inQuery(query)['company:healthineers'],
    );
    expect(one).toBeGreaterThan(two);
    expect(two).toBeGreaterThan(0.7);
    expect(inQuery('how is boeng doing')).toHaveProperty('company:boeing');
    expect(inQuery('a boring job', (word) => word === 'boring')).toEqual({});
    expect(inQuery('what of snowflak')).toHaveProperty('company:snowflake');
    expect(inQuery('a visaa sponsor')).toEqual({});
    const both = inQuery('data engineer at boeng, not at seimens');
    expect(Object.keys(both).sort()).toEqual(['company:boeing', 'company:siemens', 'job:data']);
    expect(Object.keys(inQuery('siemens or boeng'))).toEqual(['company:siemens']);
    expect(inQuery('')).toEqual({});
    expect(inQuery('🙂')).toEqual({});
  });
});

describe('names in a pasted text', () => {
  const filler = 'we do many things for many people and are glad of it '.repeat(3);

  it('are employers near the start and after "at", and else what is used', () => {
    expect(inText(`Boeing ${filler}`)).toHaveProperty('company:boeing');
    expect(inText(`${filler} Join Boeing today`)).toHaveProperty('company:boeing');
    expect(inText(`${filler} you drew parts for Boeing once`)).toEqual({});
    expect(inText(`${filler} join boeing today`)).toEqual({});
  });

  it('that are everyday words need more', () => {
    expect(inText(`Visa sponsorship available ${filler}`)).toEqual({});
    expect(inText(`${filler} At Visa we move money`)).toHaveProperty('company:visa');
  });

  it('are jobs near the start, and where somebody is looked for', () => {
    expect(inText(`Senior Data Engineer (m/f/d) ${filler}`)).toHaveProperty('job:data');
    expect(inText(`${filler} we are looking for a second data engineer`)).toHaveProperty('job:data');
    expect(inText(`${filler} you will sit next to a data engineer`)).toEqual({});
  });
});
