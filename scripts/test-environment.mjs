/** What changes the service (CONTRACT, "Environment"): a test sets what it means to set, and inherits none of it. */
const SERVICE = new RegExp(
  `^(${[
    'ENVIRONMENT|HOST|PORT|MANAGEMENT_PORT|ALLOWED_ORIGINS|TRUST_PROXY|DATABASE_URL|REDIS_URL|PROFILE_PATH|REVISION|BREAKER_OPEN_MS',
    'MAX_SESSIONS|SESSION_TIMEOUT_MS|SESSION_LEASE_MS|LAST_WORDS_MS|HEARTBEAT_MS|BODY_LIMIT_BYTES|AI_PRICES_PATH|NODEJS_LEGACY_METRICS',
    '(OTEL|LOG|LLM|OPENAI|SEARCH|METRICS|CONSOLE|HEALTH|SHUTDOWN|BINNACLE)_.*',
  ].join('|')})$`,
);

/**
 * The environment that tests run in.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function testEnvironment(env) {
  const kept = Object.entries(env).filter(([name]) => !SERVICE.test(name));
  return { ...Object.fromEntries(kept), NODE_ENV: 'test' };
}
