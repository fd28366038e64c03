/** What a search found, as it is cached. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Finding } from '../domain/index.ts';

export interface Found {
  readonly findings: readonly Finding[];
  /** Where they came from. */
  readonly source: 'searxng' | 'corpus';
  /** Why the corpus stood in for the web, where it did. */
  readonly fallback?: 'search_failed' | 'breaker_open';
}

const Schema = Compile(
  Type.Object({
    findings: Type.Array(
      Type.Object({
        id: Type.String({ maxLength: 200 }),
        kind: Type.Union(['company', 'job', 'web', 'query'].map((kind) => Type.Literal(kind))),
        title: Type.String(),
        summary: Type.String(),
        skills: Type.Array(Type.String()),
        demands: Type.Optional(
          Type.Array(
            Type.Object({
              skill: Type.String(),
              level: Type.Union([Type.Literal('must'), Type.Literal('nice')]),
              years: Type.Optional(Type.Number()),
            }),
          ),
        ),
        url: Type.Optional(Type.String({ pattern: '^https?://' })),
        source: Type.String(),
        as_of: Type.Optional(Type.String()),
        illustrative: Type.Optional(Type.Boolean()),
        score: Type.Number(),
      }),
      { maxItems: 50 },
    ),
    source: Type.Union([Type.Literal('searxng'), Type.Literal('corpus')]),
  }),
);

/** Whether a value that another instance left is one. */
export function isFound(value: unknown): value is Found {
  return Schema.Check(value);
}
