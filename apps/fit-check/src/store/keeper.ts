/**
 * Keeps sessions in the database, whatever becomes of it: one run of an id at a time over all instances, by a lease;
 * rows that cannot be stored wait in the process until they can.
 */
import { randomUUID } from 'node:crypto';
import { type Observability, roundMs } from 'binnacle';
import { ServiceError } from '../errors.ts';
import { createGate, DatabaseDown, type DatabaseGate, isFaultOfTheRow, within } from './gate.ts';
import { createPendingRows, type PendingLimits, type PendingRows } from './pending.ts';
import { now, type SessionRow, type SessionStatus, type SessionStore, type StoredSession, toStored } from './store.ts';

/** How long a caller waits for the database, in milliseconds. What is not stored by then is stored later. */
const CLAIM_MS = 1000;
const SAVE_MS = 1000;
const FIND_MS = 1500;
/** The last try to store what waits, at the end; the shutdown allows a second for it and the pool's end. */
const CLOSE_MS = 700;
const STORE_CLOSE_MS = 200;
/** A lease is renewed this often while it lasts, so that one renewal may fail. */
const RENEWALS = 3;

export interface KeeperOptions {
  /** How long an instance is believed to run a session without saying so again, in milliseconds. */
  readonly leaseMs: number;
  readonly pending?: PendingLimits;
}

/** One run of a session. */
export interface SessionRun {
  readonly id: string;
  /** Whether the database has what was last written of it. */
  readonly stored: boolean;
  /** Writes what was found, before the session has ended. Never rejects. */
  keep(analysis: object): Promise<void>;
  /** Writes how it ended; resolves once that is stored or waits to be. Never rejects. */
  finish(status: SessionStatus, durationMs: number): Promise<void>;
}

export interface SessionKeeper {
  /** Throws `SettingsError` for a database that no waiting will help. */
  start(): Promise<void>;
  /** Asks the database whether it answers, and whether it is ready to be used. */
  ping(): Promise<void>;
  /** A session begins. Throws `session_busy` while another instance runs it; a database that is away stops nobody. */
  begin(id: string): Promise<SessionRun>;
  /** Throws `upstream_unavailable` when only the database could know, and it is away. */
  find(id: string): Promise<StoredSession | undefined>;
  /** Tries once more to store what waits, and closes the database. */
  close(): Promise<void>;
}

const PENDING: PendingLimits = { rows: 2000, bytes: 32 * 1024 * 1024 };

/** Opens nothing yet: `open` is told whom to tell of connections that broke, and makes the store. */
export function createKeeper(
  obs: Observability,
  open: (onLost: () => void) => SessionStore,
  options: KeeperOptions,
): SessionKeeper {
  return new Keeper(obs, open, options);
}

/** A run as the keeper holds it. `held`: the database says that it is ours. */
interface HeldRun {
  readonly id: string;
  row: SessionRow;
  state: 'unclaimed' | 'held' | 'lost' | 'over';
  stored: boolean;
}

class Keeper implements SessionKeeper {
  readonly #log: Observability['log'];
  readonly #quiet: Observability['quiet'];
  readonly #store: SessionStore;
  readonly #gate: DatabaseGate;
  readonly #pending: PendingRows;
  readonly #leaseMs: number;
  readonly #owner = randomUUID();
  readonly #runs = new Map<string, HeldRun>();
  readonly #writes = new Map<SessionRow, Promise<void>>();
  #revision = 0;
  #prepared = false;
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(obs: Observability, open: (onLost: () => void) => SessionStore, { leaseMs, pending }: KeeperOptions) {
    this.#log = obs.logger('database');
    this.#quiet = obs.quiet;
    this.#leaseMs = leaseMs;
    this.#pending = createPendingRows(pending ?? PENDING);
    this.#gate = createGate({
      recover: () => this.#quiet(() => this.#recover()),
      onDown: ({ code }) => this.#log.warn({ error_code: code }, `The database cannot be used: ${code}`),
      onUp: (downMs) => {
        this.#log.info({ down_ms: roundMs(downMs) }, 'The database can be used again');
        // What came to wait after the rest had been stored, and before anybody knew that the database is back.
        if (this.#pending.size > 0) setImmediate(() => this.#gate.look());
      },
    });
    this.#store = open(() => this.#gate.look());
  }

  async start(): Promise<void> {
    try {
      await this.#quiet(() => this.#gate.start());
    } catch (error) {
      await this.#store.close();
      throw error;
    }
    let ticks = 0;
    this.#timer = setInterval(() => {
      ticks += 1;
      void this.#quiet(() => this.#tick(ticks % RENEWALS === 0));
    }, this.#leaseMs / RENEWALS);
    this.#timer.unref();
  }

  async ping(): Promise<void> {
    let answered = false;
    try {
      await this.#store.ping();
      answered = true;
    } finally {
      // Either way it is no longer as it was thought to be.
      if (answered === this.#gate.isDown) this.#gate.look();
    }
    if (!this.#prepared) throw new DatabaseDown('not_migrated');
  }

  async begin(id: string): Promise<SessionRun> {
    const at = now();
    const row = this.#nextRow({
      session_id: id,
      status: 'running',
      created_at: at,
      updated_at: at,
      duration_ms: null,
      analysis: null,
    });
    const run: HeldRun = { id, row, state: 'unclaimed', stored: false };
    try {
      const claimed = await this.#gate.attempt(() => this.#store.claim(row, this.#leaseMs), CLAIM_MS);
      if (!claimed) throw new ServiceError('session_busy', BUSY);
      run.state = 'held';
      run.stored = true;
      const older = this.#pending.get(id);
      if (older !== undefined) this.#pending.delete(older);
    } catch (error) {
      if (!(error instanceof DatabaseDown)) throw error;
      this.#pend(row);
    }
    this.#runs.set(id, run);
    return {
      id,
      get stored() {
        return run.stored;
      },
      keep: (analysis) => this.#write(run, { analysis: JSON.stringify(analysis) }),
      finish: async (status, durationMs) => {
        if (run.state !== 'lost') run.state = 'over';
        await this.#write(run, { status, duration_ms: durationMs });
        if (this.#runs.get(id) === run) this.#runs.delete(id);
      },
    };
  }

  async find(id: string): Promise<StoredSession | undefined> {
    const run = this.#runs.get(id);
    const row = run === undefined || run.state === 'lost' ? this.#pending.get(id) : run.row;
    if (row !== undefined) return toStored(row);
    try {
      return await this.#gate.attempt(() => this.#store.get(id), FIND_MS);
    } catch (error) {
      if (!(error instanceof DatabaseDown)) throw error;
      throw new ServiceError('upstream_unavailable', 'The database cannot be reached at the moment.', {
        'retry-after': '5',
      });
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#gate.close();
    const lastTry = Promise.all(this.#writes.values()).then(() => this.#flush());
    await within(CLOSE_MS, lastTry).catch(() => {});
    for (const row of [...this.#writes.keys(), ...this.#pending.rows()]) this.#tellDropped(row, 'the service ends');
    await within(STORE_CLOSE_MS, this.#store.close()).catch(() => {});
  }

  #nextRow(row: Omit<SessionRow, 'owner' | 'revision'>): SessionRow {
    this.#revision += 1;
    return { ...row, owner: this.#owner, revision: this.#revision };
  }

  async #write(run: HeldRun, change: Partial<SessionRow>): Promise<void> {
    const waiting = this.#pending.get(run.id);
    if (waiting !== undefined) this.#pending.delete(waiting);
    run.row = this.#nextRow({ ...run.row, ...change, updated_at: now() });
    run.stored = false;
    if (run.state === 'lost') return;
    const { row } = run;
    const written = this.#save(run, row);
    this.#writes.set(row, written);
    await written;
    this.#writes.delete(row);
  }

  async #save(run: HeldRun, row: SessionRow): Promise<void> {
    try {
      const applied = await this.#gate.attempt(() => this.#store.save(row, this.#leaseMs), SAVE_MS);
      if (applied) this.#settle(run, row);
      else this.#lose(run);
    } catch (error) {
      if (error instanceof DatabaseDown) this.#pend(row);
      else this.#tellDropped(row, 'the database refuses it', error);
    }
  }

  #settle(run: HeldRun, row: SessionRow): void {
    if (run.row === row) run.stored = true;
    if (run.state === 'unclaimed') run.state = 'held';
  }

  #lose(run: HeldRun): void {
    if (run.state === 'lost') return;
    run.state = 'lost';
    run.stored = false;
    this.#log.warn(
      { session_id: run.id },
      `[${run.id}] The lease was lost to a newer run of this session: what this one finds is not stored`,
    );
  }

  #pend(row: SessionRow): void {
    const message = `[${row.session_id}] The session could not be stored yet`;
    if (row.status !== 'running')
      this.#log.warn({ session_id: row.session_id, pending: this.#pending.size + 1 }, message);
    for (const dropped of this.#pending.add(row)) this.#tellDropped(dropped, 'too many sessions wait to be stored');
  }

  /** A running session that is dropped comes again with its end. */
  #tellDropped(row: SessionRow, why: string, error?: unknown): void {
    if (row.status === 'running') return;
    this.#log.error({ session_id: row.session_id, error }, `[${row.session_id}] The session is not stored: ${why}`);
  }

  /** What is due once the database is back; by the last step it shows that it answers in time. */
  async #recover(): Promise<void> {
    await this.#store.prepare();
    this.#prepared = true;
    await this.#renew();
    await this.#flush();
    await within(SAVE_MS, this.#store.sweep());
  }

  #flush(): Promise<void> {
    this.#flushing ??= this.#storePending().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #storePending(): Promise<void> {
    for (let row = this.#pending.first(); row !== undefined; row = this.#pending.first()) await this.#storeLate(row);
  }

  async #storeLate(row: SessionRow): Promise<void> {
    const id = row.session_id;
    try {
      const applied = await this.#store.save(row, this.#leaseMs);
      // A newer row may have taken its place meanwhile, and have been stored before it.
      if (!this.#pending.delete(row)) return;
      const run = this.#runs.get(id);
      if (run !== undefined && applied) this.#settle(run, row);
      else if (run !== undefined) this.#lose(run);
      if (row.status === 'running') return;
      if (applied) this.#log.info({ session_id: id }, `[${id}] The session was stored late`);
      else this.#tellDropped(row, 'a newer run of it stands');
    } catch (error) {
      if (!isFaultOfTheRow(error)) throw error;
      if (this.#pending.delete(row)) this.#tellDropped(row, 'the database refuses it', error);
    }
  }

  async #tick(sweep: boolean): Promise<void> {
    if (this.#gate.isDown) return;
    if (this.#pending.size > 0) this.#gate.look();
    try {
      await this.#gate.attempt(() => this.#renew(), SAVE_MS);
      if (sweep) await this.#gate.attempt(() => this.#store.sweep(), SAVE_MS);
    } catch {
      // The gate has told it, and does both once the database is back.
    }
  }

  async #renew(): Promise<void> {
    const held = [...this.#runs.values()].filter((run) => run.state === 'held');
    if (held.length === 0) return;
    const ids = held.map((run) => run.id);
    const renewed = await this.#store.renew(this.#owner, ids, this.#leaseMs);
    // One that has ended meanwhile, or begun anew, was not asked for.
    for (const run of held) if (run.state === 'held' && !renewed.has(run.id)) this.#lose(run);
  }
}

const BUSY = 'This session is running; wait for its end or use another "session_id".';
