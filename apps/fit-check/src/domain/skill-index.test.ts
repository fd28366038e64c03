import { describe, expect, it } from 'vitest';
import type { CorpusEntry } from './entries.ts';
import type { SkillDemand } from './finding.ts';
import { createSkillIndex } from './skill-index.ts';

const entry = (id: string, skills: string[], demands?: SkillDemand[]): CorpusEntry => ({
  finding: {
    id,
    kind: demands === undefined ? 'company' : 'job',
    title: id,
    summary: '',
    skills,
    demands,
    source: 'x',
  },
  names: [],
  industry: '',
  places: [],
});
const index = createSkillIndex([
  entry('broad', ['python', 'java', 'aws', 'react', 'sql']),
  entry('narrow', ['python', 'aws']),
  entry('rare', ['cobol', 'python']),
  entry(
    'must',
    ['python', 'go'],
    [
      { skill: 'python', level: 'nice' },
      { skill: 'go', level: 'must' },
    ],
  ),
]);

describe('createSkillIndex', () => {
  it('covers a query by the share that is offered, and prefers who asks for little else', () => {
    const scores = index.covering(['python', 'aws']);
    expect(scores.get('narrow')).toBeCloseTo(1);
    expect(scores.get('broad')).toBeLessThan(1);
    expect(scores.get('broad')).toBeGreaterThan(scores.get('rare') ?? 1);
  });

  it('lets a rare skill tell more than a common one', () => {
    const scores = index.covering(['python', 'cobol']);
    expect(scores.get('rare')).toBeCloseTo(1);
    expect(scores.get('narrow')).toBeLessThan(0.5);
  });

  it('prefers a row that asks for years of a skill, or at least insists on it', () => {
    const demands = (years?: number): SkillDemand[] => [
      { skill: 'agile', level: 'must', years },
      { skill: 'sql', level: 'must' },
    ];
    const jobs = createSkillIndex([entry('a', ['agile', 'sql'], demands()), entry('b', ['agile', 'sql'], demands(4))]);
    const scores = jobs.covering(['agile']);
    expect(scores.get('b')).toBeGreaterThan(scores.get('a') ?? 1);
    expect(index.covering(['python', 'go']).get('must')).toBeLessThan(0.97);
  });

  it('resembles by the whole, a must before a wish', () => {
    const scores = index.resembling(['go']);
    expect(scores.get('must')).toBeGreaterThan(0.8);
    expect(scores.get('narrow')).toBe(0);
    expect(index.resembling([]).get('must')).toBe(0);
    expect(index.covering([]).get('must')).toBe(0);
  });

  it('compares rows', () => {
    expect(index.alike('narrow', 'narrow')).toBeCloseTo(1);
    expect(index.alike('narrow', 'broad')).toBe(index.alike('broad', 'narrow'));
    expect(index.alike('narrow', 'nobody')).toBe(0);
  });
});
