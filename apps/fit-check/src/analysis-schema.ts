/** Whether a value that another instance left in the cache is an analysis. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Analysis, PhaseName } from './analysis.ts';

const NAMES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'] satisfies PhaseName[];

const Schema = Compile(
  Type.Object({
    query: Type.String(),
    provider: Type.String(),
    model: Type.String(),
    phases: Type.Array(
      Type.Object({
        phase: Type.Union(NAMES.map((name) => Type.Literal(name))),
        summary: Type.String(),
        data: Type.Record(Type.String(), Type.Unknown()),
        thoughts: Type.Array(Type.String()),
      }),
      { minItems: 5, maxItems: 5 },
    ),
    verdict: Type.String(),
    usage: Type.Union([
      Type.Null(),
      Type.Object({
        inputTokens: Type.Number(),
        outputTokens: Type.Number(),
        source: Type.Optional(Type.Union([Type.Literal('provider'), Type.Literal('estimated')])),
      }),
    ]),
    cached: Type.Boolean(),
  }),
);

export function isAnalysis(value: unknown): value is Analysis {
  return Schema.Check(value);
}
