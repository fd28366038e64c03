/**
 * How the files of the corpus are written: rows, whose facts stand in statements. A statement says where its facts
 * come from and as of when, so that no fact can do without.
 */
import Type, { type Static } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

const text = Type.String({ minLength: 1, maxLength: 600, pattern: '\\S' });
const texts = Type.Array(text, { minItems: 1, maxItems: 40 });
const strict = { additionalProperties: false };

const provenance = {
  source: text,
  as_of: Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?$' }),
  illustrative: Type.Optional(Type.Boolean()),
};

const shared = { aliases: Type.Optional(texts), industry: text, summary: text, locations: texts };

const companyFacts = { ...shared, country: text, culture: Type.Optional(text), technologies: texts };

const jobFacts = {
  ...shared,
  requirements: Type.Array(
    Type.Object(
      {
        skill: text,
        level: Type.Union([Type.Literal('must'), Type.Literal('nice')]),
        years: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
      },
      strict,
    ),
    { minItems: 1, maxItems: 40 },
  ),
};

/** Facts may be spread over several statements, so none of them has to hold them all. */
const statement = (facts: Readonly<Record<string, Type.TSchema>>): Type.TSchema =>
  Type.Object(
    {
      ...provenance,
      ...Object.fromEntries(Object.entries(facts).map(([name, schema]) => [name, Type.Optional(schema)])),
    },
    strict,
  );

const statements = (facts: Readonly<Record<string, Type.TSchema>>): Type.TSchema =>
  Type.Array(statement(facts), { minItems: 1, maxItems: 40 });

const CompanyFacts = Type.Object(companyFacts);
const JobFacts = Type.Object(jobFacts);
const slug = (kind: string): Type.TSchema => Type.String({ pattern: `^${kind}:[a-z0-9]+(-[a-z0-9]+)*$` });

/** What a row of each kind looks like as written, and what its facts must come to, all statements together. */
export const COMPANY: RowKind = {
  row: Compile(
    Type.Object(
      { id: slug('company'), name: text, everyday: Type.Optional(Type.Literal(true)), facts: statements(companyFacts) },
      strict,
    ),
  ),
  facts: Compile(CompanyFacts),
};

export const JOB: RowKind = {
  row: Compile(Type.Object({ id: slug('job'), title: text, facts: statements(jobFacts) }, strict)),
  facts: Compile(JobFacts),
};

export interface RowKind {
  readonly row: Shape;
  readonly facts: Shape;
}

/** Compiled: interpreted for each row, the schemas would take most of the time that loading takes. */
export type Shape = Pick<Validator, 'Check' | 'Errors'>;

export type CompanyFacts = Static<typeof CompanyFacts>;
export type JobFacts = Static<typeof JobFacts>;

/** Where a fact comes from. */
export interface Provenance {
  /** The address where it can be read; of what is illustrative, who wrote it. */
  readonly source: string;
  /** `2026-11` or `2026-11-05`. */
  readonly as_of: string;
  /** Written from general knowledge to show how the service works, and checked against nothing. */
  readonly illustrative?: boolean;
}

/** A row as written. */
export interface WrittenRow {
  readonly id: string;
  readonly name?: string;
  readonly title?: string;
  readonly everyday?: true;
  readonly facts: readonly (Provenance & Readonly<Record<string, unknown>>)[];
}
