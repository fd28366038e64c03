import { describe, expect, it } from 'vitest';
import { FitCheckError, type FitCheckEvent } from '../../client/index.ts';
import { Analysis } from './analysis.ts';

const ended = (
  phase: 'connecting' | 'deep_research' | 'skills_matching' | 'gap_analysis' | 'verdict',
  data: object,
): FitCheckEvent => ({
  type: 'phase_complete',
  phase,
  summary: `${phase} done`,
  data: data as Record<string, unknown>,
  duration_ms: 2.5,
});
const FINDING = { id: 'job:a', title: 'Backend', source: 'corpus', score: 0.9 };
const MATCH = { skill: 'TypeScript', score: 0.9, evidence: ['work:1', 'skill:typescript'] };

describe('an analysis', () => {
  it('knows what its events told', () => {
    const analysis = new Analysis('s', 'running', 'Google');
    const events: FitCheckEvent[] = [
      { type: 'phase', phase: 'connecting' },
      { type: 'thought', content: 'A\u001b[31m thought' },
      ended('connecting', { profile: { name: 'Mira', label: 'Engineer', years: 9.5 } }),
      ended('deep_research', { findings: [FINDING, { ...FINDING, id: 'web:1', url: 'https://example.com/' }] }),
      ended('skills_matching', { score: 71.6, level: 'good', top_matches: [MATCH] }),
      ended('gap_analysis', {
        gaps: [{ skill: 'Rust', severity: 'high', from: ['job:a'], suggestion: 'learn it' }],
        strengths: [],
      }),
      { type: 'phase', phase: 'verdict' },
      { type: 'response', chunk: 'Yes ' },
      { type: 'response', chunk: '[work:1].' },
    ];
    for (const event of events) analysis.apply(event);
    expect(analysis.phases.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'running']);
    expect(analysis.phases[0]).toMatchObject({ durationMs: 2.5, thoughts: ['A thought'] });
    expect(analysis).toMatchObject({ score: 72, level: 'good', candidate: { name: 'Mira', years: 9.5 } });
    expect([analysis.takeVerdict(), analysis.takeVerdict()]).toEqual(['Yes [work:1].', '']);
    analysis.cite(['education:1', 'web:9']);
    // Found first; then what is cited of the profile, then what shows most. A page that was not found is nobody's entry.
    expect(analysis.evidence.map(({ id }) => id)).toEqual([
      'job:a',
      'web:1',
      'education:1',
      'work:1',
      'skill:typescript',
    ]);
    analysis.apply(
      ended('verdict', { evidence: [{ id: 'work:1', label: 'Lead at X' }], citations: { unknown: ['education:1'] } }),
    );
    expect(analysis.evidence.map(({ id, label }) => label ?? id)).toEqual([
      'job:a',
      'web:1',
      'Lead at X',
      'skill:typescript',
    ]);
    expect(analysis.unknown.has('education:1')).toBe(true);
  });

  it('stops where it is', () => {
    const analysis = new Analysis('s', 'running', 'Google');
    analysis.apply({ type: 'phase', phase: 'connecting' });
    analysis.apply({ type: 'waiting', reason: 'network' });
    expect(analysis.waiting).toBe('network');
    analysis.stop('failed', new FitCheckError('network', 'gone'));
    expect(analysis).toMatchObject({ status: 'failed', waiting: undefined, isOver: true });
    expect(analysis.phases[0]?.state).toBe('stopped');
  });

  it('bears anything in the place of data, and keeps little of what is large', () => {
    const strange: unknown[] = [null, 7, 'x', [], {}, { id: 7 }, { id: 'a"b:c' }, { skill: {}, score: 'high' }];
    const analysis = new Analysis('s', 'running', 'x');
    const large = 'x'.repeat(1_000_000);
    for (const value of [...strange, strange, Array(5000).fill({ ...FINDING, ...MATCH, title: large, skill: large })]) {
      for (const phase of ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'] as const) {
        analysis.apply(
          ended(phase, {
            profile: value,
            findings: value,
            score: value,
            level: value,
            top_matches: value,
            gaps: value,
            strengths: value,
            evidence: value,
            citations: value,
          }),
        );
      }
    }
    expect(analysis.score).toBeUndefined();
    expect(JSON.stringify(analysis).length).toBeLessThan(60_000);
  });

  it('links to the web alone', () => {
    const analysis = new Analysis('s', 'running', 'x');
    const urls = ['javascript:alert(1)', 'data:text/html,x', 'https://ok.example/', 'file:///etc/passwd', 7];
    analysis.apply(ended('deep_research', { findings: urls.map((url, at) => ({ ...FINDING, id: `web:${at}`, url })) }));
    expect(analysis.evidence.map(({ finding }) => finding?.url)).toEqual([
      undefined,
      undefined,
      'https://ok.example/',
      undefined,
      undefined,
    ]);
  });
});
