import { expect, test } from 'vitest';
import { createLosses } from './losses.ts';
import { createMemoryFaults, createMemoryRecorder } from './testing-spans.test-helper.ts';

function setUp() {
  const recorder = createMemoryRecorder();
  const { faults, lines } = createMemoryFaults();
  const losses = createLosses({ endpoint: 'http://x/', faults, recorder });
  return { losses, recorder, messages: () => lines.map(({ message }) => message) };
}

test('an outage costs what failed and what was dropped since the last batch that arrived', () => {
  const { losses, recorder, messages } = setUp();
  losses.dropped(100);
  losses.arrived(5);
  // A queue that overflows while the first export of an outage waits for its answer.
  losses.dropped(2);
  losses.failed(10, new Error('no'));
  losses.failed(10, new Error('no'));
  losses.dropped(1);
  losses.arrived(4);
  losses.failed(7, new Error('no'));
  losses.arrived(4);
  expect(messages()).toEqual([
    'Spans cannot be exported to http://x/: Error',
    'Spans are exported to http://x/ again; 23 were lost',
    'Spans cannot be exported to http://x/: Error',
    'Spans are exported to http://x/ again; 7 were lost',
  ]);
  expect(recorder.counts).toEqual({ exported: 13, failed: 27, dropped: 103, kept: 0 });
});

test('a collector that rejects more than it was sent rejects what it was sent', () => {
  const { losses, recorder, messages } = setUp();
  losses.arrived(3, { rejected: 1e9, message: '' });
  expect(recorder.counts).toMatchObject({ exported: 0, failed: 3 });
  expect(messages()).toEqual(['Spans are exported to http://x/, which rejects some: 3 of 3']);
});
