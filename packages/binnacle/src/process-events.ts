/** What Node itself would print to standard error, written as lines of the log instead. */
import type { WriteLine } from './signals.ts';

/**
 * An uncaught exception or unhandled rejection becomes one CRITICAL line, and ends the process with status 1 as it
 * would have; a warning becomes a line of the logger `node`. Gives the way to stop.
 */
export function logProcessEvents(service: string, write: WriteLine): () => void {
  const onException = (error: unknown): void => {
    write('CRITICAL', service, 'Uncaught exception', { error });
    process.exit(1);
  };
  const onWarning = (warning: Error): void => {
    const { code } = warning as { code?: string };
    write('WARNING', 'node', warning.message, { warning: warning.name, ...(code !== undefined && { code }) });
  };
  const printers = process.listeners('warning');
  for (const printer of printers) process.off('warning', printer);
  process.on('uncaughtException', onException);
  process.on('warning', onWarning);
  return () => {
    process.off('uncaughtException', onException);
    process.off('warning', onWarning);
    for (const printer of printers) process.on('warning', printer);
  };
}
