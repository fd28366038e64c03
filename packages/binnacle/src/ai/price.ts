/** What operations cost, by a table that the user supplies: models change their prices more often than libraries do. */
import { readFileSync } from 'node:fs';
import type { Usage } from './usage.ts';

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input tokens read from the provider's cache; as `input` where it is left out. */
  readonly cached_input?: number;
  /** Input tokens written to the provider's cache; as `input` where it is left out. */
  readonly cache_write?: number;
}

/** A table of prices, as `AI_PRICES_PATH` holds it: `{"as_of": "2026-11-01", "models": {"gpt-x": {"input": 2, "output": 8}}}`. */
export interface PriceTable {
  /** The day that the prices are of, as `YYYY-MM-DD`. */
  readonly as_of: string;
  /** By model; a name with `*` at its end stands for all that begin with it, the longest first. */
  readonly models: Readonly<Record<string, Price>>;
}

const MILLION = 1e6;

/** Reads a table. Throws an error that says in words what is wrong with it. */
export function readPrices(path: string): PriceTable {
  let table: unknown;
  try {
    table = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`it cannot be read: ${(error as { code?: string }).code ?? 'no JSON'}`);
  }
  return checkPrices(table);
}

/** The table itself, or an error that says in words what is wrong with it. */
export function checkPrices(table: unknown): PriceTable {
  const { as_of: asOf, models } = (table ?? {}) as Partial<PriceTable>;
  if (typeof asOf !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(asOf)) throw new Error('"as_of" must be a day, YYYY-MM-DD');
  if (typeof models !== 'object' || models === null) throw new Error('"models" must hold a price for each model');
  for (const [model, price] of Object.entries(models)) {
    const { input, output, cached_input = 0, cache_write = 0 } = (price ?? {}) as Partial<Price>;
    if (![input, output, cached_input, cache_write].every((value) => Number.isFinite(value) && Number(value) >= 0))
      throw new Error(`"${model}" must have "input" and "output", in US dollars for a million tokens`);
  }
  return { as_of: asOf, models };
}

/** Finds prices by the name that a provider answered with, else by the one that was asked for. */
export function createPriceOf(table: PriceTable | undefined): (...models: string[]) => Price | undefined {
  if (table === undefined) return () => undefined;
  const prefixes = Object.entries(table.models)
    .filter(([name]) => name.endsWith('*'))
    .map(([name, price]) => [name.slice(0, -1), price] as const)
    .sort(([a], [b]) => b.length - a.length);
  const priceOf = (model: string): Price | undefined =>
    (Object.hasOwn(table.models, model) ? table.models[model] : undefined) ??
    prefixes.find(([prefix]) => model.startsWith(prefix))?.[1];
  return (...models) => {
    for (const model of models) {
      const price = model === '' ? undefined : priceOf(model);
      if (price !== undefined) return price;
    }
    return undefined;
  };
}

/** US dollars. Cached tokens are a part of the input, and reasoning ones of the output: neither is added twice. */
export function costOf(price: Price, usage: Usage): number {
  const cached = usage.cachedInputTokens ?? 0;
  const written = usage.cacheWriteTokens ?? 0;
  const plain = Math.max(0, usage.inputTokens - cached - written);
  const input =
    plain * price.input + cached * (price.cached_input ?? price.input) + written * (price.cache_write ?? price.input);
  return (input + usage.outputTokens * price.output) / MILLION;
}
