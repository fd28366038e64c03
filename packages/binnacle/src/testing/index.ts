/** `binnacle/testing`: a service's signals in memory, and time by hand. */
export { createHandClock, type HandClock } from './hand-clock.ts';
export { observeForTest, type TestLine, type TestObservability } from './observe-for-test.ts';
export type { TestSpan } from './span.ts';
