import { describe, expect, it } from 'vitest';
import { kinOf } from './kinship.ts';

const shareOf = (skill: string, from: string) => kinOf(skill).find((kin) => kin.skill === from)?.share;

describe('kinOf', () => {
  it('lends nearly in full what is implied, less with each step, and in part within a family', () => {
    expect(shareOf('kubernetes', 'helm')).toBe(0.8);
    expect(shareOf('docker', 'helm')).toBeCloseTo(0.64);
    expect(shareOf('javascript', 'nestjs')).toBeCloseTo(0.64);
    expect(shareOf('postgresql', 'mysql')).toBe(0.45);
  });

  it('lends one way only where it implies, and never between false friends', () => {
    expect(shareOf('react', 'react-native')).toBe(0.8);
    expect(shareOf('react-native', 'react')).toBeUndefined();
    expect(shareOf('java', 'javascript')).toBeUndefined();
    expect(shareOf('javascript', 'java')).toBeUndefined();
    expect(shareOf('r', 'ruby')).toBeUndefined();
  });

  it('knows nothing of strangers', () => {
    for (const id of ['home-made', 'constructor', '__proto__', '']) expect(kinOf(id)).toEqual([]);
  });
});
