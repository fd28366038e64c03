import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { versions } from 'node:process';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HookedStorage, NodeStorage, type ScopeStorage } from './scope-storage.ts';

interface Scope {
  readonly name: string;
}
const A: Scope = { name: 'a' };
const B: Scope = { name: 'b' };
const fail = (): never => {
  throw new Error('x');
};

describe.each([
  ['of our own hook', () => new HookedStorage<Scope>()],
  ["of Node's", () => new NodeStorage<Scope>()],
])('a storage %s', (_, create: () => ScopeStorage<Scope>) => {
  test('is empty before and after, and holds while its work runs', () => {
    const storage = create();
    expect(storage.get()).toBeUndefined();
    expect(storage.run(A, () => storage.get())).toBe(A);
    expect(storage.get()).toBeUndefined();
  });

  test('holds from the first time on, wherever that is', async () => {
    await null;
    const storage = create();
    await storage.run(A, async () => {
      expect(storage.get()).toBe(A);
      await null;
      expect(storage.get()).toBe(A);
    });
    expect(storage.get()).toBeUndefined();
  });

  test('nests, also in itself, and gives back what was there', () => {
    const storage = create();
    storage.run(A, () => {
      storage.run(B, () => storage.run(B, () => expect(storage.get()).toBe(B)));
      expect(storage.get()).toBe(A);
      storage.run(A, () => expect(storage.get()).toBe(A));
      expect(storage.get()).toBe(A);
    });
    expect(storage.get()).toBeUndefined();
  });

  test('gives back what was there after a throw', () => {
    const storage = create();
    expect(() => storage.run(A, fail)).toThrow('x');
    expect(() => storage.apply(A, fail, undefined, [])).toThrow('x');
    storage.run(A, () => {
      expect(() => storage.run(B, fail)).toThrow('x');
      expect(storage.get()).toBe(A);
    });
    expect(storage.get()).toBeUndefined();
  });

  test('calls a method as its own, with what it is given', () => {
    const storage = create();
    const target = { by: 2, times: (n: number): [number, Scope | undefined] => [n * target.by, storage.get()] };
    expect(storage.apply(A, target.times, target, [21])).toEqual([42, A]);
    expect(storage.run(A, () => storage.apply(A, target.times, target, [4]))).toEqual([8, A]);
  });

  test('two are kept apart', async () => {
    const [one, other] = [create(), create()];
    await one.run(A, async () => {
      await turn();
      await other.run(B, async () => {
        await turn();
        expect([one.get(), other.get()]).toEqual([A, B]);
      });
      expect([one.get(), other.get()]).toEqual([A, undefined]);
    });
  });

  test('what runs within another resource and comes back finds its own', async () => {
    const storage = create();
    const outside = new AsyncResource('outside');
    await storage.run(A, async () => {
      await turn();
      expect(outside.runInAsyncScope(() => storage.get())).toBeUndefined();
      expect(storage.get()).toBe(A);
      expect(outside.runInAsyncScope(() => storage.run(B, () => storage.get()))).toBe(B);
      expect(storage.get()).toBe(A);
    });
    expect(outside.runInAsyncScope(() => storage.get())).toBeUndefined();
  });

  test('is carried over sockets, files and threads', async () => {
    const storage = create();
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const seen = await Promise.all(
      [A, B].map((scope) =>
        storage.run(scope, async () => {
          const found: (Scope | undefined)[] = [];
          const socket: Socket = connect(port, '127.0.0.1');
          socket.on('data', () => found.push(storage.get()));
          await once(socket, 'close');
          found.push(storage.get());
          await readFile(import.meta.filename);
          found.push(storage.get());
          await promisify(gzip)('x');
          found.push(storage.get());
          return found;
        }),
      ),
    );
    expect(seen).toEqual([Array(4).fill(A), Array(4).fill(B)]);
    server.close();
  });
});

/** What a program does next; what comes after it happens there. */
type Step =
  | 'microtask'
  | 'await'
  | 'then'
  | 'tick'
  | 'immediate'
  | 'timer'
  | 'again'
  | 'resource'
  | 'bound'
  | 'run'
  | 'emit'
  | 'catch';
const STEPS: readonly Step[] = [
  'microtask',
  'await',
  'then',
  'tick',
  'immediate',
  'timer',
  'again',
  'resource',
  'bound',
  'run',
  'emit',
  'catch',
];
interface Program {
  readonly step: Step;
  readonly scope: number;
  readonly after: readonly Program[];
}
const programs = fc.memo((depth: number): fc.Arbitrary<Program> => {
  const after: fc.Arbitrary<readonly Program[]> =
    depth === 1 ? fc.constant([]) : fc.array(programs(depth - 1), { maxLength: 3 });
  return fc.record({ step: fc.constantFrom(...STEPS), scope: fc.integer({ min: 0, max: 5 }), after });
});

/** From 24 on Node keeps it otherwise: a timer that is started again has what it had the first time. */
const hasHooks = Number.parseInt(versions.node, 10) < 24;

test.runIf(hasHooks)('our own holds what Node’s AsyncLocalStorage holds, in any program', async () => {
  const ours = new HookedStorage<Scope>();
  const nodes = new AsyncLocalStorage<Scope>();
  const scopes = Array.from({ length: 6 }, (_, i) => ({ name: String(i) }));
  const emitter = new EventEmitter();
  const outside = new AsyncResource('outside');
  let looked = 0;
  const look = (): void => {
    looked += 1;
    expect(ours.get()).toBe(nodes.getStore());
  };
  const goOn = async ({ after }: Program): Promise<void> => {
    look();
    await Promise.all(after.map(perform));
    look();
  };
  const later = (schedule: (run: () => void) => void, next: Program): Promise<void> =>
    new Promise((resolve, reject) => schedule(() => void goOn(next).then(resolve, reject)));
  const how: Readonly<Record<Step, (next: Program) => Promise<void>>> = {
    microtask: (next) => later(queueMicrotask, next),
    await: async (next) => {
      await null;
      await goOn(next);
    },
    // biome-ignore lint/suspicious/noThenProperty: a step's name
    then: (next) => Promise.resolve().then(() => goOn(next)),
    tick: (next) => later(process.nextTick, next),
    immediate: (next) => later(setImmediate, next),
    timer: async (next) => {
      await sleep(0);
      await goOn(next);
    },
    again: async (next) => {
      const scope = scopes[next.scope] as Scope;
      let onFire = (): void => {};
      const fired = (start: () => void) =>
        new Promise<void>((resolve) => {
          onFire = resolve;
          start();
        });
      let timer: NodeJS.Timeout | undefined;
      const begin = (): void => {
        timer = setTimeout(() => onFire(), 0);
      };
      await fired(() => ours.run(scope, () => nodes.run(scope, begin)));
      await later((run) => {
        onFire = run;
        timer?.refresh();
      }, next);
    },
    resource: (next) => new AsyncResource('step').runInAsyncScope(() => goOn(next)),
    bound: (next) => outside.runInAsyncScope(() => goOn(next)),
    run: (next) => {
      const scope = scopes[next.scope] as Scope;
      return ours.run(scope, () => nodes.run(scope, () => goOn(next)));
    },
    emit: (next) =>
      later((run) => {
        emitter.once('step', run);
        emitter.emit('step');
      }, next),
    catch: async (next) => {
      const scope = scopes[next.scope] as Scope;
      await expect(ours.run(scope, () => nodes.run(scope, () => Promise.reject(new Error('x'))))).rejects.toThrow('x');
      await goOn(next);
    },
  };
  const perform = (next: Program): Promise<void> => how[next.step](next);
  await fc.assert(
    fc.asyncProperty(fc.array(programs(4), { minLength: 1, maxLength: 4 }), async (all) => {
      await Promise.all(all.map(perform));
      look();
    }),
    { numRuns: 300 },
  );
  expect(looked).toBeGreaterThan(1000);
});
