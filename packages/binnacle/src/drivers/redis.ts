/** Commands of node-redis (`redis`, `@redis/client`), by its channels, which there are from 5.12. */
import type { Signals } from '../signals.ts';
import { observeRedisCommands } from './redis-commands.ts';

/** Observes every client from now on; what it returns ends that. A transaction or a pipeline is one call. */
export function observeNodeRedis(signals: Signals): () => void {
  return observeRedisCommands(signals, { channels: 'node-redis', argsBefore: 1 });
}
