/** The service, put together. */
import { dirname } from 'node:path';
import cors from '@fastify/cors';
import {
  database,
  disk,
  eventLoop,
  memory,
  type Observability,
  observe,
  redis as redisCheck,
  SettingsError,
} from 'binnacle';
import { createFastify } from 'binnacle/fastify';
import type { FastifyInstance } from 'fastify';
import { createAnalyst, PHASES } from './analysis.ts';
import { openRedis, type RedisClient } from './cache/redis.ts';
import { countTokens, loadProfile, type Profile, ProfileError, SAMPLE_PROFILE } from './domain/index.ts';
import { createLlm } from './llm/llm.ts';
import { healthRoute } from './routes/health.ts';
import { type PageLink, pageRoute } from './routes/page.ts';
import { answerError, answerProblems, answerUnreadable } from './routes/problems.ts';
import { sessionsRoute } from './routes/sessions.ts';
import { streamRoute } from './routes/stream.ts';
import { createRunningSessions } from './running.ts';
import { createSearch } from './search/search.ts';
import type { FitCheckSettings } from './settings.ts';
import { createKeeper } from './store/keeper.ts';
import { openStore } from './store/open.ts';
import { VERSION } from './version.ts';

export interface FitCheck {
  readonly app: FastifyInstance;
  readonly obs: Observability;
}

export async function createFitCheck(settings: FitCheckSettings): Promise<FitCheck> {
  const obs = observe({
    service: 'fit-check',
    version: VERSION,
    ...(settings.revision !== undefined && { revision: settings.revision }),
    namespace: 'fit_check',
    phases: PHASES,
    paths: [writableFolder(settings)],
    ai: { countTokens },
    console: 'development',
  });
  const app = createFastify(obs, {
    bodyLimit: settings.bodyLimitBytes,
    frameworkErrors: answerError,
    clientErrorHandler: answerUnreadable,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
  });
  app.removeContentTypeParser('text/plain');
  answerProblems(app);
  if (settings.allowedOrigins.length > 0) await app.register(cors, { origin: corsOrigin(settings.allowedOrigins) });

  const profile = await readProfile(settings.profilePath);
  const redis = settings.redisUrl === undefined ? undefined : await connectRedis(obs, settings.redisUrl);
  const keeper = createKeeper(obs, (onLost) => openStore(settings.database, onLost, obs.client), {
    leaseMs: settings.sessionLeaseMs,
  });
  await keeper.start();
  const search = createSearch(obs, settings, redis);
  const llm = createLlm(obs, settings);
  const running = createRunningSessions(settings.maxSessions);

  obs.health.check(
    'database',
    database(() => keeper.ping()),
  );
  if (redis !== undefined) obs.health.check('redis', redisCheck(redis));
  obs.health.check('disk', disk(writableFolder(settings)));
  obs.health.check('memory', memory());
  obs.health.check('event_loop', eventLoop());
  obs.health.check('llm', () => breakerHealth(llm.breaker.state));
  obs.health.check('search', () => breakerHealth(search.breaker.state));

  streamRoute(app, { obs, settings, keeper, running, analyse: createAnalyst({ obs, profile, search, llm, redis }) });
  sessionsRoute(app, keeper, running);
  healthRoute(app, { obs, breakers: { search: search.breaker, llm: llm.breaker }, activeSessions: () => running.size });
  pageRoute(app, { links: linksOf(obs) });
  app.refuseOtherMethods();
  app.addHook('onClose', () => keeper.close());
  app.addHook('onClose', () => redis?.close());
  return { app, obs };
}

/** What a browser can open beside the page, where the page is: not on a port of its own, and not with a bearer. */
function linksOf({ settings }: Observability): PageLink[] {
  const { managementPort, metrics } = settings;
  if (managementPort !== undefined) return [{ href: '/api/fit-check/health', label: 'Health' }];
  return [
    ...(settings.console === undefined ? [] : [{ href: '/console/', label: 'Console' }]),
    { href: '/health', label: 'Health' },
    ...(metrics.enabled && metrics.token === undefined ? [{ href: '/metrics', label: 'Metrics' }] : []),
  ];
}

/** What the connection does by itself belongs to no request. */
function connectRedis(obs: Observability, url: string): Promise<RedisClient> {
  return obs.quiet(() => openRedis(url, obs.logger('ioredis')));
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

/** Where the service writes: beside its embedded database, else where it runs. */
function writableFolder({ database }: FitCheckSettings): string {
  return database.kind === 'sqlite' ? dirname(database.path) : process.cwd();
}

function breakerHealth(state: string): { status: 'healthy' | 'degraded'; breaker: string } {
  return { status: state === 'open' ? 'degraded' : 'healthy', breaker: state };
}

function corsOrigin(origins: readonly string[]): string | string[] {
  return origins.includes('*') ? '*' : [...origins];
}
