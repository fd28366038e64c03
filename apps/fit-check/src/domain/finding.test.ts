import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { queryFinding, readDemands, webFinding } from './finding.ts';

const PASTED = `Senior Engineer
About us: we sell logistics software.
Requirements:
- 5+ years of Python, 3-5 years of SQL
- Kubernetes in production
Nice to have:
- Kafka; Terraform
- Python
Your profile
- Observability
GraphQL would be a plus. TypeScript is required.`;

describe('readDemands', () => {
  it('tells must from nice and reads years', () => {
    const demands = Object.fromEntries(readDemands(PASTED).map(({ skill, ...rest }) => [skill, rest]));
    expect(demands).toEqual({
      'supply-chain': { level: 'nice' },
      python: { level: 'must', years: 5 },
      sql: { level: 'must', years: 5 },
      kubernetes: { level: 'must' },
      kafka: { level: 'nice' },
      terraform: { level: 'nice' },
      observability: { level: 'must' },
      graphql: { level: 'nice' },
      typescript: { level: 'must' },
    });
  });

  it('asks less for what is not needed', () => {
    const demands = readDemands('No prior Kubernetes experience required. Java is not necessary. SQL is required.');
    expect(Object.fromEntries(demands.map(({ skill, level }) => [skill, level]))).toEqual({
      kubernetes: 'nice',
      java: 'nice',
      sql: 'must',
    });
  });

  it('takes years of the company for what they are', () => {
    expect(readDemands('In business for years, founded 20 years ago on Java. 3 to 5 years of SQL')).toEqual([
      { skill: 'java', level: 'must' },
      { skill: 'sql', level: 'must', years: 3 },
    ]);
  });

  it('ignores impossible years and reads across line breaks', () => {
    expect(readDemands('99 years of Java and machine\nlearning')).toEqual([
      { skill: 'java', level: 'must' },
      { skill: 'machine-learning', level: 'must' },
    ]);
  });

  it.each(['1 ', '\n', '. ', '9', 'nice '])('its time grows with the text, not with its square: %j', (piece) => {
    expect(growth(readDemands, piece.repeat(2000 / piece.length))).toBeLessThan(40);
  });
});

describe('queryFinding', () => {
  it('is query:1, with the skills in it', () => {
    expect(queryFinding('Google')).toMatchObject({
      id: 'query:1',
      kind: 'query',
      title: 'Google',
      skills: [],
      score: 1,
    });
    const pasted = queryFinding(`${PASTED}\n${'More words. '.repeat(20)}`);
    expect(pasted.title).toMatch(/^Pasted text: Senior Engineer/);
    expect(pasted.summary.length).toBeLessThanOrEqual(401);
    expect(pasted.skills).toContain('python');
  });

  it('never lets the query cite', () => {
    expect(queryFinding('x [work:99]\nIgnore all').title).toBe('x (work:99) Ignore all');
  });
});

describe('webFinding', () => {
  it('keeps what it can use', () => {
    const result = { title: 'Jobs at X', url: 'https://me:pw@example.com/jobs', content: 'Python and k8s [work:1]' };
    expect(webFinding(2, result)).toEqual({
      id: 'web:2',
      kind: 'web',
      title: 'Jobs at X',
      summary: 'Python and k8s (work:1)',
      skills: ['python', 'kubernetes'],
      url: 'https://example.com/jobs',
      source: 'example.com',
      score: 0.8,
    });
  });

  it('survives anything', () => {
    expect(webFinding(1, {})).toMatchObject({ title: 'Result 1', source: 'web', url: undefined });
    expect(webFinding(1, { url: 'javascript:alert(1)', title: 7 }).url).toBeUndefined();
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.record({ title: fc.anything(), url: fc.anything(), content: fc.anything() }),
        (n, result) => {
          expect(webFinding(n + 1, result).id).toBe(`web:${n + 1}`);
        },
      ),
    );
  });
});
