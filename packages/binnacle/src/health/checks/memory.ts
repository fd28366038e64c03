import { type Memory, readMemory } from '../../container.ts';
import type { Check } from '../check.ts';

export interface MemoryOptions {
  /** Share of the limit above which it is degraded, 0 to 1; 0.95. */
  readonly degradedAbove?: number;
  /** Where the figures come from; for tests. */
  readonly read?: () => Memory;
}

/** Memory against the container's limit, else the machine's. Details: `used_bytes`, `limit_bytes`. */
export function memory({ degradedAbove = 0.95, read = readMemory }: MemoryOptions = {}): Check {
  return () => {
    const { usedBytes, limitBytes } = read();
    const status = usedBytes > limitBytes * degradedAbove ? 'degraded' : 'healthy';
    return { status, used_bytes: usedBytes, limit_bytes: limitBytes };
  };
}
