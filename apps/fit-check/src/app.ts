/** The service, put together. */
import { dirname } from 'node:path';
import cors from '@fastify/cors';
import { database, disk, eventLoop, memory, type Observability, observe, SettingsError } from 'binnacle';
import { fastifyOptions, observeFastify } from 'binnacle/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { createAnalyst, PHASES } from './analysis.ts';
import { loadProfile, type Profile, ProfileError, SAMPLE_PROFILE } from './domain/index.ts';
import { createLlm } from './llm/llm.ts';
import { healthRoute } from './routes/health.ts';
import { answerError, answerProblems } from './routes/problems.ts';
import { sessionsRoute } from './routes/sessions.ts';
import { streamRoute } from './routes/stream.ts';
import { createRunningSessions } from './running.ts';
import { createSearch } from './search/search.ts';
import type { FitCheckSettings } from './settings.ts';
import { openStore } from './store.ts';
import { VERSION } from './version.ts';

export interface FitCheck {
  readonly app: FastifyInstance;
  readonly obs: Observability;
}

export async function createFitCheck(settings: FitCheckSettings): Promise<FitCheck> {
  const obs = observe({
    service: 'fit-check',
    version: VERSION,
    namespace: 'fit_check',
    phases: PHASES,
    paths: [dirname(settings.databasePath)],
  });
  const app = Fastify({
    ...fastifyOptions(obs),
    bodyLimit: settings.bodyLimitBytes,
    frameworkErrors: answerError,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
  });
  app.removeContentTypeParser('text/plain');
  answerProblems(app);
  await app.register(observeFastify(obs));
  if (settings.allowedOrigins.length > 0) await app.register(cors, { origin: corsOrigin(settings.allowedOrigins) });

  const profile = await readProfile(settings.profilePath);
  const store = await openStore(settings.databasePath);
  const search = createSearch(obs, settings.search);
  const llm = createLlm(obs, settings.llm);
  const running = createRunningSessions(settings.maxSessions);

  obs.health.check(
    'database',
    database(() => store.ping()),
  );
  obs.health.check('disk', disk(dirname(settings.databasePath)));
  obs.health.check('memory', memory());
  obs.health.check('event_loop', eventLoop());
  obs.health.check('llm', () => breakerHealth(llm.breaker.state));
  obs.health.check('search', () => breakerHealth(search.breaker.state));

  streamRoute(app, { obs, settings, store, running, analyse: createAnalyst({ obs, profile, search, llm }) });
  sessionsRoute(app, store, running);
  healthRoute(app, { obs, breakers: { search: search.breaker, llm: llm.breaker }, activeSessions: () => running.size });
  app.refuseOtherMethods();
  app.addHook('onClose', () => store.close());
  return { app, obs };
}

async function readProfile(path: string | undefined): Promise<Profile> {
  try {
    return await loadProfile(path ?? SAMPLE_PROFILE);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new SettingsError([
      { variable: 'PROFILE_PATH', value: JSON.stringify(path), allowed: `a JSON Resume file (${error.message})` },
    ]);
  }
}

function breakerHealth(state: string): { status: 'healthy' | 'degraded'; breaker: string } {
  return { status: state === 'open' ? 'degraded' : 'healthy', breaker: state };
}

function corsOrigin(origins: readonly string[]): string | string[] {
  return origins.includes('*') ? '*' : [...origins];
}
