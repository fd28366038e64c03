/** Waits for what happens elsewhere: asks again until there is an answer, or says what never came. */
import { setTimeout as wait } from 'node:timers/promises';

export async function until<T>(what: string, ask: () => T | Promise<T>, timeoutMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await wait(10);
  }
}
