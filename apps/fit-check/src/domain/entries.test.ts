import { describe, expect, it } from 'vitest';
import type { CompanyRow, JobRow } from './corpus.ts';
import { loadCorpus } from './corpus.ts';
import { toEntries } from './entries.ts';

const illustrative = { source: 'bundled corpus', as_of: '2026-11', illustrative: true };
const cited = { source: 'https://example.com', as_of: '2026-10-02' };
const company: CompanyRow = {
  id: 'company:x',
  name: 'Orange',
  aliases: ['Snowflake', 'Orange Bank'],
  everyday: true,
  industry: 'Tests',
  country: 'Norway',
  summary: 'Tests things.',
  culture: 'Calm.',
  technologies: ['C++', 'Golang'],
  locations: ['Oslo'],
  provenance: { summary: [cited], industry: [cited] },
};
const job: JobRow = {
  id: 'job:y',
  title: 'Go Developer',
  everyday: false,
  industry: 'Tests',
  summary: 'Writes Go.',
  requirements: [
    { skill: 'golang', level: 'must', years: 3 },
    { skill: 'Docker', level: 'nice' },
  ],
  locations: ['Oslo'],
  provenance: { summary: [illustrative] },
};

describe('toEntries', () => {
  it('makes a company a finding', () => {
    expect(toEntries({ companies: [company], jobs: [] })[0]).toEqual({
      finding: {
        id: 'company:x',
        kind: 'company',
        title: 'Orange',
        summary: 'Tests things. Calm.',
        skills: ['cpp', 'go'],
        ...cited,
      },
      names: [{ text: 'Orange', means: 'word' }, { text: 'Snowflake', means: 'technology' }, { text: 'Orange Bank' }],
      industry: 'Tests',
      places: ['Oslo', 'Norway'],
    });
  });

  it('makes a job a finding with its demands', () => {
    expect(toEntries({ companies: [], jobs: [job] })[0]?.finding).toMatchObject({
      kind: 'job',
      skills: ['go', 'docker'],
      demands: [
        { skill: 'go', level: 'must', years: 3 },
        { skill: 'docker', level: 'nice' },
      ],
      ...illustrative,
    });
  });

  it('takes a technology for a name only where it is a company’s alone', () => {
    const plain = { ...company, everyday: false, aliases: ['Snowflake', 'Yellow'] };
    expect(toEntries({ companies: [plain], jobs: [] })[0]?.names.map(({ means }) => means)).toEqual([
      undefined,
      'technology',
      undefined,
    ]);
  });

  it('claims no more than its weakest fact', () => {
    const mixed = { ...company, provenance: { summary: [cited], technologies: [illustrative, cited] } };
    expect(toEntries({ companies: [mixed], jobs: [] })[0]?.finding).toMatchObject({
      source: 'https://example.com, bundled corpus',
      as_of: '2026-10-02',
      illustrative: true,
    });
    expect(toEntries({ companies: [company], jobs: [] })[0]?.finding.illustrative).toBeUndefined();
  });

  it('says of every bundled row that it is illustrative', () => {
    for (const { finding } of toEntries(loadCorpus())) expect(finding).toMatchObject(illustrative);
  });
});
