/** The work of one session, phase by phase; every event that the caller sees leaves from here. */
import { createHash } from 'node:crypto';
import type { Observability, Phase, Session, Usage } from 'binnacle';
import { isAnalysis } from './analysis-schema.ts';
import { createLock } from './cache/lock.ts';
import { createCache } from './cache/observed.ts';
import { createOneLeader } from './cache/one-leader.ts';
import type { RedisClient } from './cache/redis.ts';
import type { Lead, Turn } from './cache/single-flight.ts';
import {
  analyseGaps,
  matchSkills,
  type PhaseSummary,
  type Profile,
  summariseConnecting,
  summariseGaps,
  summariseMatching,
  summariseResearch,
  summariseVerdict,
  type VerdictInput,
} from './domain/index.ts';
import type { EventStream } from './event-stream.ts';
import type { CallLimits } from './limits.ts';
import type { Llm } from './llm/llm.ts';
import type { VerdictSource } from './llm/provider.ts';
import type { FitCheckRequest } from './request.ts';
import type { Search } from './search/search.ts';
import { VERSION } from './version.ts';

/** The phases of every session, in order. */
export const PHASES = ['connecting', 'deep_research', 'skills_matching', 'gap_analysis', 'verdict'] as const;
export type PhaseName = (typeof PHASES)[number];

const MESSAGES: Readonly<Record<PhaseName, string>> = {
  connecting: 'Reading the profile and checking what is at hand…',
  deep_research: 'Researching what is asked for…',
  skills_matching: 'Matching skills and work against it…',
  gap_analysis: 'Looking for gaps, and what would close them…',
  verdict: 'Writing the verdict…',
};

/** What a session found, as it is stored and cached. */
export interface Analysis {
  readonly query: string;
  readonly provider: string;
  readonly model: string;
  readonly phases: readonly (PhaseSummary & { readonly phase: PhaseName })[];
  readonly verdict: string;
  readonly usage: Usage | null;
  readonly cached: boolean;
}

export interface AnalystParts {
  readonly obs: Observability;
  readonly profile: Profile;
  readonly search: Search;
  readonly llm: Llm;
  /** Where instances share what they found, and agree on who leads. */
  readonly redis?: RedisClient;
}

/** Runs a session's phases and tells them to the stream. */
export type Analyse = (session: Session, request: FitCheckRequest, stream: EventStream) => Promise<Analysis>;

const LIMITS = { entries: 500, ttlMs: 60 * 60_000 };
const REPLAY_CHARACTERS = 400;
/** How long one session waits for another that asks the same, in milliseconds, before it asks by itself. */
const PATIENCE_MS = 45_000;

export function createAnalyst(parts: AnalystParts): Analyse {
  const { obs, profile, redis } = parts;
  const keyOf = createKeys(parts);
  const results = createCache<Analysis>(obs, { name: 'analysis', ...LIMITS, accepts: isAnalysis, redis });
  const leaders = createOneLeader<Analysis>({ cache: results, lock: redis && createLock({ redis }) });
  const takeTurn = async (key: string, { signal, remainingMs }: Session): Promise<Turn<Analysis>> => {
    const value = await results.get(key);
    if (value !== undefined) return { kind: 'shared', value };
    return leaders.enter(key, { signal, patienceMs: () => Math.min(PATIENCE_MS, remainingMs() / 2) });
  };
  return async (session, request, stream) => {
    const run = createRun(session, request, stream);
    const key = keyOf(request.query);
    const led: { lead?: Lead<Analysis>; found?: Analysis } = {};
    try {
      const turn = await run.phase('connecting', async () => {
        const value = await takeTurn(key, session);
        if (value.kind === 'lead') led.lead = value;
        const state = { cached: value.kind === 'shared', breakers: breakerStates(parts) };
        const { data, ...summary } = summariseConnecting(profile, state);
        return { ...summary, data: { ...data, ...(results.degraded && { cache: 'degraded' }) }, value };
      });
      if (turn.kind === 'shared') return await replay(run, request, turn.value);
      led.found = await analyse(run, parts, request);
      if (!run.degraded) await results.set(key, led.found);
      return led.found;
    } finally {
      // Whoever waited asked at the same time: it gets the answer even where it is not kept for those to come.
      led.lead?.land(led.found);
    }
  };
}

/** An answer is the same for the same question, asked of the same profile, model, search and version. */
function createKeys({ profile, search, llm }: AnalystParts): (query: string) => string {
  const profileHash = createHash('sha256').update(JSON.stringify(profile.entries)).digest('base64url');
  const fixed = [VERSION, profileHash, llm.provider, llm.model, search.source];
  return (query) => [...fixed, query].join('\n');
}

async function analyse(run: Run, { profile, search, llm }: AnalystParts, request: FitCheckRequest): Promise<Analysis> {
  const { query } = request;
  const found = await run.phase('deep_research', async () => {
    const result = await search.find(query, run.limits);
    run.degraded = result.fallback !== undefined;
    const { data, ...summary } = summariseResearch(result.findings, result.source);
    const { fallback, cache } = result;
    return { ...summary, data: { ...data, ...(fallback && { fallback }), ...(cache && { cache }) }, value: result };
  });
  const { findings } = found;
  const matching = await run.phase('skills_matching', () => {
    const value = matchSkills(profile, findings);
    return { ...summariseMatching(value), value };
  });
  const gaps = await run.phase('gap_analysis', () => {
    const value = analyseGaps(profile, findings, matching);
    return { ...summariseGaps(value), value };
  });
  const input: VerdictInput = { query, profile, findings, matching, gaps };
  const source: VerdictSource = { provider: llm.provider, model: llm.model, usage: null };
  const verdict = await run.phase('verdict', async () => {
    let text = '';
    for await (const chunk of llm.verdict(input, run.limits, source)) {
      text += chunk.text;
      await run.say(chunk.text);
    }
    run.degraded ||= source.fallback !== undefined;
    const { data, ...summary } = summariseVerdict(text, input);
    const { provider, fallback } = source;
    return { ...summary, data: { ...data, provider, ...(fallback && { fallback }) }, value: text };
  });
  const { provider, model, usage } = source;
  return { query, provider, model, phases: run.told, verdict, usage, cached: false };
}

/** A cached answer tells the same events; nothing is asked for again. */
async function replay(run: Run, request: FitCheckRequest, cached: Analysis): Promise<Analysis> {
  for (const { phase, data: told, ...rest } of cached.phases) {
    if (phase === 'connecting') continue;
    // How the cache was then says nothing of now.
    const { cache: _, ...data } = told;
    const summary = { ...rest, data };
    await run.phase(phase, async () => {
      if (phase !== 'verdict') return { ...summary, value: undefined };
      const text = [...cached.verdict];
      for (let at = 0; at < text.length; at += REPLAY_CHARACTERS)
        await run.say(text.slice(at, at + REPLAY_CHARACTERS).join(''));
      return { ...summary, value: undefined };
    });
  }
  return { ...cached, query: request.query, phases: run.told, cached: true };
}

/** One session's way to its stream. */
interface Run {
  readonly limits: CallLimits;
  /** The phases told so far. */
  readonly told: (PhaseSummary & { phase: PhaseName })[];
  /** True when something stood in for what was asked: such an answer is not kept for others. */
  degraded: boolean;
  phase<T>(name: PhaseName, work: (phase: Phase) => Told<T> | Promise<Told<T>>): Promise<T>;
  /** Sends a piece of the verdict as it is, and waits for a slow reader. */
  say(chunk: string): Promise<void>;
}

type Told<T> = PhaseSummary & { readonly value: T };

function createRun(session: Session, request: FitCheckRequest, stream: EventStream): Run {
  const told: Run['told'] = [];
  return {
    limits: session,
    told,
    degraded: false,
    phase: (name, work) =>
      session.phase(name, async (phase) => {
        stream.send('phase', { phase: name, message: MESSAGES[name] });
        const { value, thoughts, summary, data } = await work(phase);
        if (request.includeThoughts) for (const content of thoughts) stream.send('thought', { content });
        const duration_ms = phase.end();
        stream.send('phase_complete', { phase: name, summary, data, duration_ms });
        told.push({ phase: name, summary, data, thoughts });
        await stream.ready(session.signal);
        return value;
      }),
    async say(chunk) {
      stream.send('response', { chunk });
      await stream.ready(session.signal);
    },
  };
}

function breakerStates({ search, llm }: AnalystParts): { search: string; llm: string } {
  return { search: search.breaker.state, llm: llm.breaker.state };
}
