/** What a caller asks for, checked. */
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ServiceError } from './errors.ts';

export interface FitCheckRequest {
  readonly query: string;
  readonly sessionId: string;
  readonly includeThoughts: boolean;
}

const MIN_QUERY = 2;
const MAX_QUERY = 20_000;

const Body = Compile(
  Type.Object({
    query: Type.String(),
    session_id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$' })),
    include_thoughts: Type.Optional(Type.Boolean()),
  }),
);

const ALLOWED: Readonly<Record<string, string>> = {
  query: `"query" must be a string of ${MIN_QUERY} to ${MAX_QUERY} characters.`,
  session_id: '"session_id" must be 1 to 128 characters of A-Z, a-z, 0-9, ".", "_", ":" and "-".',
  include_thoughts: '"include_thoughts" must be true or false.',
};

/** Checks a parsed body; throws `bad_request` that names what is wrong and what is allowed. */
export function parseRequest(body: unknown): FitCheckRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServiceError('bad_request', 'The body must be a JSON object with "query".');
  }
  for (const key of ['__proto__', 'constructor']) {
    if (Object.hasOwn(body, key)) throw new ServiceError('bad_request', `The key "${key}" is not allowed.`);
  }
  if (!Body.Check(body)) {
    const wrong = Object.keys(ALLOWED).find((key) => Body.Errors(body).some((error) => namesKey(error, key)));
    throw new ServiceError('bad_request', ALLOWED[wrong ?? 'query'] as string);
  }
  const query = body.query.trim();
  if (query.length < MIN_QUERY || query.length > MAX_QUERY)
    throw new ServiceError('bad_request', ALLOWED.query as string);
  return { query, sessionId: body.session_id ?? randomUUID(), includeThoughts: body.include_thoughts ?? false };
}

function namesKey(error: { instancePath: string; params: object }, key: string): boolean {
  return error.instancePath === `/${key}` || JSON.stringify(error.params).includes(`"${key}"`);
}
