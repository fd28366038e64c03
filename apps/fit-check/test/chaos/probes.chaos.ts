/** The storms of `probes.test.ts`, for half a minute each. */
import { describe } from 'vitest';
import { testStorms } from '../probe-storm.ts';

describe('1000 probes a second', () => testStorms(30_000));
