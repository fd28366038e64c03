/** The work of one session, phase by phase; every event that the caller sees leaves from here. */
import { createHash } from 'node:crypto';
import type { Observability, Phase, Session, Usage } from 'binnacle';
import { createCache } from './cache.ts';
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
import type { Llm } from './llm/llm.ts';
import type { FitCheckRequest } from './request.ts';
import type { Search } from './search/search.ts';

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
}

/** Runs a session's phases and tells them to the stream. */
export type Analyse = (session: Session, request: FitCheckRequest, stream: EventStream) => Promise<Analysis>;

const LIMITS = { entries: 500, ttlMs: 60 * 60_000 };
const REPLAY_CHARACTERS = 400;

export function createAnalyst(parts: AnalystParts): Analyse {
  const { obs, llm, profile } = parts;
  const profileHash = createHash('sha256').update(JSON.stringify(profile.entries)).digest('base64url');
  const results = createCache<Analysis>(obs, 'analysis', LIMITS);
  return async (session, request, stream) => {
    const run = createRun(session, request, stream);
    const key = createHash('sha256')
      .update([profileHash, llm.provider, llm.model, request.query].join('\n'))
      .digest('base64url');
    const cached = await run.phase('connecting', () => {
      const value = results.get(key);
      return {
        ...summariseConnecting(profile, { cached: value !== undefined, breakers: breakerStates(parts) }),
        value,
      };
    });
    if (cached !== undefined) return replay(run, request, cached);
    const analysis = await analyse(run, parts, request);
    if (!run.degraded) results.set(key, analysis);
    return analysis;
  };
}

async function analyse(run: Run, { profile, search, llm }: AnalystParts, request: FitCheckRequest): Promise<Analysis> {
  const { query } = request;
  const found = await run.phase('deep_research', async () => {
    const result = await search.find(query, run.signal);
    run.degraded = result.fallback !== undefined;
    const { data, ...summary } = summariseResearch(result.findings, result.source);
    return { ...summary, data: { ...data, ...(result.fallback && { fallback: result.fallback }) }, value: result };
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
  let usage: Usage | null = null;
  const verdict = await run.phase('verdict', async () => {
    let text = '';
    for await (const chunk of llm.verdict(input, run.signal, (used) => (usage = used))) {
      text += chunk.text;
      await run.say(chunk.text);
    }
    return { ...summariseVerdict(text, input), value: text };
  });
  return { query, provider: llm.provider, model: llm.model, phases: run.told, verdict, usage, cached: false };
}

/** A cached answer tells the same events; nothing is asked for again. */
async function replay(run: Run, request: FitCheckRequest, cached: Analysis): Promise<Analysis> {
  for (const { phase, ...summary } of cached.phases) {
    if (phase === 'connecting') continue;
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
  readonly signal: AbortSignal;
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
    signal: session.signal,
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
