import { describe, expect, test } from 'vitest';
import { createFaults } from './faults.ts';

function connected() {
  const lines: unknown[][] = [];
  const faults = createFaults();
  faults.connect((...line) => lines.push(line));
  return { faults, lines };
}

describe('an outage', () => {
  test('is one line however often it is told, and is armed again once it is over', () => {
    const { faults, lines } = connected();
    const outage = faults.outage('otel');
    outage.up('never was down');
    for (let i = 0; i < 100; i += 1) outage.down('unreachable', { code: 'ECONNREFUSED' });
    expect(outage.isDown).toBe(true);
    outage.up('reachable');
    outage.up('reachable');
    expect(outage.isDown).toBe(false);
    outage.down('unreachable again');
    outage.up();
    expect(lines).toEqual([
      ['WARNING', 'otel', 'unreachable', { code: 'ECONNREFUSED' }],
      ['WARNING', 'otel', 'reachable'],
      ['WARNING', 'otel', 'unreachable again', undefined],
    ]);
  });

  test('is its own: another one of the same logger is told too', () => {
    const { faults, lines } = connected();
    faults.outage('otel').down('a');
    faults.outage('otel').down('b');
    expect(lines.map(([, , message]) => message)).toEqual(['a', 'b']);
  });
});

test('a line by key is written once a process, and the keys are bounded', () => {
  const { faults, lines } = connected();
  for (let i = 0; i < 3; i += 1) faults.once('k', 'binnacle', 'told');
  expect(lines).toHaveLength(1);
  for (let i = 0; i < 3000; i += 1) faults.once(`k${i}`, 'binnacle', 'told');
  expect(lines).toHaveLength(1000);
});

test('lines told before there is a log are kept, 50 at most, and written once there is', () => {
  const faults = createFaults();
  for (let i = 0; i < 200; i += 1) faults.once(`k${i}`, 'binnacle', String(i));
  const lines: string[] = [];
  faults.connect((_level, _logger, message) => lines.push(message));
  expect(lines).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
});

test('a log that throws does not throw into its host', () => {
  const faults = createFaults();
  faults.once('early', 'binnacle', 'early');
  const broken = (): never => {
    throw new Error('disk full');
  };
  expect(() => faults.connect(broken)).not.toThrow();
  expect(() => faults.outage('otel').down('x')).not.toThrow();
});
