import { describe, expect, it } from 'vitest';
import { levelStrength } from './levels.ts';

describe('levelStrength', () => {
  it('orders the words that resumes use', () => {
    const ordered = ['Beginner', 'Intermediate', 'Advanced', 'Master'].map(levelStrength);
    expect([...ordered].sort()).toEqual(ordered);
    expect(levelStrength('Native speaker')).toBe(levelStrength('Expert'));
    expect(levelStrength('five stars')).toBe(levelStrength(undefined));
  });
});
