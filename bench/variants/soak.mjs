import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { SOAK_ANSWER } from '../soak-work.mjs';
import { serve } from './serve.mjs';

/** As fit-check works: a session with phases, lines within them, and a model that is asked. */
const { BENCH_LIBRARY, CONSOLE_TOKEN } = process.env;
const root = BENCH_LIBRARY ? pathToFileURL(`${BENCH_LIBRARY}/`) : new URL('../../', import.meta.url);
const library = new URL('packages/binnacle/', root);
const { observe } = await import(new URL('dist/index.js', library).href);
const { createFastify } = await import(new URL('dist/adapters/fastify.js', library).href);

const phases = ['research', 'verdict'];
const MODEL = { operation: 'chat', provider: 'embedded', model: 'embedded-analyst' };
const obs = observe({ service: 'soak', version: '1.0.0', phases, console: CONSOLE_TOKEN !== undefined });
const app = createFastify(obs);
app.get('/check', () =>
  obs.session({ id: randomUUID(), timeoutMs: 10_000 }, async (session) => {
    await session.phase('research', async () => {
      await nextTurn();
      obs.log.info({ found: 3 }, 'Facts found');
    });
    await session.phase('verdict', () =>
      obs.ai.call(MODEL, async (call) => {
        await nextTurn();
        call.usage({ inputTokens: 120, outputTokens: 48 });
      }),
    );
    return SOAK_ANSWER;
  }),
);
await serve(app, () => obs.close());
