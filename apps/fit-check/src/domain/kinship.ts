/** Which skills lend each other credit, and how much: what is implied counts nearly in full, a family's member in part. */
import { FAMILIES, IMPLIES } from './taxonomy.ts';
import { byText } from './text.ts';

export interface Kin {
  /** The id of the skill that lends. */
  readonly skill: string;
  /** The share of its strength that counts, above 0 and below 1. */
  readonly share: number;
}

/** For each step of implication: who shows Helm has nearly shown Kubernetes, and a little less so Docker. */
const IMPLIED = 0.8;
const FAMILY = 0.45;

const kin = new Map<string, Map<string, number>>();

function lend(from: string, to: string, share: number): boolean {
  const lenders = kin.get(to) ?? new Map<string, number>();
  kin.set(to, lenders);
  if (from === to || share <= (lenders.get(from) ?? 0)) return false;
  lenders.set(from, share);
  return true;
}

function lendImplied(from: string, through: string, share: number): void {
  for (const to of IMPLIES[through] ?? []) if (lend(from, to, share)) lendImplied(from, to, share * IMPLIED);
}

for (const from of Object.keys(IMPLIES)) lendImplied(from, from, IMPLIED);
for (const family of FAMILIES) for (const from of family) for (const to of family) lend(from, to, FAMILY);

const sorted: ReadonlyMap<string, readonly Kin[]> = new Map(
  [...kin].map(([skill, lenders]) => [
    skill,
    [...lenders].map(([from, share]) => ({ skill: from, share })).sort((a, b) => byText(a.skill, b.skill)),
  ]),
);

/** Those that lend credit for a skill, by id. */
export function kinOf(skill: string): readonly Kin[] {
  return sorted.get(skill) ?? [];
}
