/** One analysis as the page knows it: what its events have told so far. */
import {
  type CompleteEvent,
  type FitCheckEvent,
  PHASES,
  type PhaseCompleteEvent,
  type PhaseName,
} from '../../client/index.ts';
import { plainLine } from '../text/plain.ts';
import {
  type Candidate,
  type Finding,
  type Gap,
  type Level,
  type Match,
  readCandidate,
  readCitations,
  readFindings,
  readGaps,
  readLevel,
  readMatches,
  readScore,
  readStrengths,
  type Strength,
} from './data.ts';

export interface Phase {
  readonly name: PhaseName;
  readonly state: 'waiting' | 'running' | 'done' | 'stopped';
  readonly summary?: string;
  readonly durationMs?: number | null;
  readonly thoughts: readonly string[];
}

export type Status = 'opening' | 'running' | 'complete' | 'cancelled' | 'failed';

/** A profile's entry or a finding that something rests on. */
export interface Evidence {
  readonly id: string;
  readonly finding?: Finding;
  readonly label?: string;
  /** Skills that it shows. */
  readonly shows: readonly string[];
  readonly cited: boolean;
}

const MOST_THOUGHTS = 40;
const FINDINGS: readonly string[] = ['query', 'company', 'job', 'web'];

/** Lists are replaced, never changed in place: what is the same object has not changed. */
export class Analysis {
  readonly id: string;
  query: string;
  status: Status;
  /** Why nothing comes at the moment. */
  waiting: 'network' | 'running' | undefined;
  error: unknown;
  phases: readonly Phase[] = PHASES.map((name) => ({ name, state: 'waiting', thoughts: [] }));
  candidate: Candidate | undefined;
  score: number | undefined;
  level: Level | undefined;
  matches: readonly Match[] = [];
  gaps: readonly Gap[] | undefined;
  strengths: readonly Strength[] = [];
  evidence: readonly Evidence[] = [];
  /** Ids that are cited although nothing bears them. */
  unknown: ReadonlySet<string> = new Set();
  complete: CompleteEvent | undefined;
  createdAt: string | undefined;
  /** Pieces of the verdict that nobody has taken yet. */
  #pieces: string[] = [];
  #findings: readonly Finding[] = [];
  #cited: ReadonlySet<string> = new Set();
  #labels: ReadonlyMap<string, string> = new Map();

  constructor(id: string, status: 'opening' | 'running', query = '') {
    this.id = id;
    this.query = query;
    this.status = status;
  }

  get isOver(): boolean {
    return this.status !== 'opening' && this.status !== 'running';
  }

  /** The verdict that came since this was last called. */
  takeVerdict(): string {
    const text = this.#pieces.join('');
    this.#pieces = [];
    return text;
  }

  apply(event: FitCheckEvent): void {
    this.waiting = event.type === 'waiting' ? event.reason : undefined;
    if (event.type === 'stored') {
      this.query = event.query;
      this.createdAt = event.created_at;
    } else if (event.type === 'phase') this.#change(event.phase, { state: 'running' });
    else if (event.type === 'thought') this.#think(event.content);
    else if (event.type === 'phase_complete') this.#end(event);
    else if (event.type === 'response') this.#pieces.push(event.chunk);
    else if (event.type === 'complete') {
      this.complete = event;
      this.status = 'complete';
    }
  }

  stop(status: 'cancelled' | 'failed', error: unknown): void {
    this.status = status;
    this.error = error;
    this.waiting = undefined;
    for (const { name, state } of this.phases) if (state === 'running') this.#change(name, { state: 'stopped' });
  }

  /** Says what the verdict shown so far cites. */
  cite(ids: Iterable<string>): void {
    const all = new Set([...this.#cited, ...ids]);
    if (all.size === this.#cited.size) return;
    this.#cited = all;
    this.#gather();
  }

  #change(name: PhaseName, change: Partial<Phase>): void {
    this.phases = this.phases.map((phase) => (phase.name === name ? { ...phase, ...change } : phase));
  }

  #think(content: string): void {
    const running = this.phases.find(({ state }) => state === 'running');
    if (running === undefined || running.thoughts.length >= MOST_THOUGHTS) return;
    this.#change(running.name, { thoughts: [...running.thoughts, plainLine(content, 400)] });
  }

  #end({ phase, summary, data, duration_ms }: PhaseCompleteEvent): void {
    this.#change(phase, { state: 'done', summary: plainLine(summary, 400), durationMs: duration_ms });
    if (phase === 'connecting') this.candidate = readCandidate(data);
    else if (phase === 'deep_research') this.#findings = readFindings(data);
    else if (phase === 'skills_matching') {
      this.score = readScore(data);
      this.level = readLevel(data);
      this.matches = readMatches(data);
    } else if (phase === 'gap_analysis') {
      this.gaps = readGaps(data);
      this.strengths = readStrengths(data);
    } else {
      const { labels, unknown } = readCitations(data);
      this.#labels = labels;
      this.unknown = new Set(unknown);
    }
    this.#gather();
  }

  /** Findings first, as they came; then the profile's entries, those that show most skills first. */
  #gather(): void {
    const shows = new Map<string, Set<string>>();
    for (const { skill, evidence } of [...this.matches, ...this.strengths])
      for (const id of evidence) shows.set(id, (shows.get(id) ?? new Set()).add(skill));
    const known = new Set(this.#findings.map(({ id }) => id));
    const others = [...new Set([...shows.keys(), ...this.#cited])].filter(
      (id) => !known.has(id) && !this.unknown.has(id) && !isFinding(id),
    );
    const entry = (id: string): Evidence => {
      const label = this.#labels.get(id);
      return {
        id,
        ...(label !== undefined && { label }),
        shows: [...(shows.get(id) ?? [])],
        cited: this.#cited.has(id),
      };
    };
    this.evidence = [
      ...this.#findings.map((finding) => ({ id: finding.id, finding, shows: [], cited: this.#cited.has(finding.id) })),
      ...others.map(entry).sort((a, b) => Number(b.cited) - Number(a.cited) || b.shows.length - a.shows.length),
    ];
  }
}

/** By its id's kind: a cited finding that was not found is no entry of the profile. */
function isFinding(id: string): boolean {
  return FINDINGS.includes(id.slice(0, id.indexOf(':')));
}
