/** Commands of ioredis, by its channels, which there are from 5.11. */
import type { Signals } from '../signals.ts';
import { observeRedisCommands } from './redis-commands.ts';

/**
 * Observes every client from now on; what it returns ends that. A transaction is one call, the commands of a pipeline
 * are one each: ioredis tells of no pipeline.
 */
export function observeIoredis(signals: Signals): () => void {
  return observeRedisCommands(signals, { channels: 'ioredis', argsBefore: 0 });
}
