/** The same on Binnacle. */
import { database, observe } from 'binnacle';
import { createFastify } from 'binnacle/fastify';
import OpenAI from 'openai';
import { addRoutes, createDependency, listen } from './routes.mjs';

const obs = observe({ service: 'comparison', ai: { countTokens: (text) => Math.ceil(text.length / 4) } });
const app = createFastify(obs);
const dependency = createDependency();
obs.health.check(
  'database',
  database(() => dependency.ask()),
);
addRoutes(app, {
  searches: obs.counter({ name: 'searches_total', help: 'Searches.', labels: ['word'] }),
  openai: obs.ai.client(new OpenAI()),
  telemetry: obs.ai.telemetry('planner'),
  dependency,
});
obs.stopOnSignals(() => app.close());
await listen(app);
