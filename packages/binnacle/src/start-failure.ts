/** A start that failed, told in one line: JSON where the log would be JSON. */
import { SettingsError } from './environment.ts';

/**
 * Writes why a service cannot start, to standard error, and sets exit status 1. Settings and a taken port are told
 * without a stack; anything else with it.
 * @param env where `LOG_FORMAT`, `ENVIRONMENT` and `NODE_ENV` are read; the process's own unless told
 */
export function reportStartFailure(
  service: string,
  error: unknown,
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const message = describeFailure(error);
  const known = error instanceof SettingsError || message !== String(error);
  const stack = known || !(error instanceof Error) ? undefined : error.stack;
  const line = wantsJson(env)
    ? JSON.stringify({
        timestamp: new Date().toISOString(),
        level: 'CRITICAL',
        logger: service,
        message: `${service} cannot start: ${message}`,
        ...(error instanceof Error && !known && { exception: { type: error.name, message: error.message, stack } }),
        service,
      })
    : `${service} cannot start: ${message}${stack === undefined ? '' : `\n${stack}`}`;
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address, hostname } = error as {
    code?: string;
    port?: number;
    address?: string;
    hostname?: string;
  };
  if (code === 'EADDRINUSE')
    return `port ${port} on ${address} is taken; end what listens there, or choose another port`;
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} may not be used by this user; choose one above 1023`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name ${hostname} cannot be resolved; check HOST`;
  if (code === 'EADDRNOTAVAIL') return `the address ${address} is not one of this machine's; check HOST`;
  return error instanceof SettingsError || error.name === 'ProfileError' ? error.message : String(error);
}

/** The log's format by the same rules as the settings', which may be what is wrong. */
function wantsJson({ LOG_FORMAT, ENVIRONMENT, NODE_ENV }: Readonly<Record<string, string | undefined>>): boolean {
  const format = LOG_FORMAT?.trim().toLowerCase();
  if (format === 'json' || format === 'text') return format === 'json';
  const environment = ENVIRONMENT?.trim() || (NODE_ENV === 'production' ? 'production' : 'development');
  return environment !== 'development' && environment !== 'test';
}
