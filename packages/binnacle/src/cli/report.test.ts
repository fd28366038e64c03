import { expect, test } from 'vitest';
import { type Diagnosis, note, ok, problem } from './findings.ts';
import { toJson, toText } from './report.ts';

const DIAGNOSIS: Diagnosis = {
  version: '1.2.3',
  folder: '/srv/answers',
  sections: [
    { title: 'Runtime', findings: [ok('Node.js', '22.12.0')] },
    { title: 'Libraries', findings: [] },
    {
      title: 'Traces',
      findings: [note('exporter', 'nothing is sent', 'set an endpoint'), problem('sampler', 'sends none', 'send some')],
    },
  ],
};

test('text, aligned, empty sections left out', () => {
  expect(toText(DIAGNOSIS, { color: false })).toBe(`Binnacle 1.2.3: doctor of /srv/answers

Runtime
  ok       Node.js   22.12.0

Traces
  note     exporter  nothing is sent
                     -> set an endpoint
  problem  sampler   sends none
                     -> send some

1 problem, 1 note, 1 ok.
`);
});

test('colours are marks and titles alone', () => {
  const text = toText(DIAGNOSIS, { color: true });
  expect(text).toContain('\u001b[31mproblem\u001b[0m  sampler   sends none');
  expect(
    text
      .split('\u001b')
      .map((part) => part.replace(/^\[\d+m/, ''))
      .join(''),
  ).toBe(toText(DIAGNOSIS, { color: false }));
});

test('nothing of what was found is obeyed by a terminal', () => {
  const findings = [ok('a\u001b[31m\u202eb', 'c\nd\u0007')];
  const text = toText({ version: '1', folder: '/', sections: [{ title: 'Runtime', findings }] }, { color: false });
  expect(text).toContain('  ok       a [31m b  c d \n');
});

test('JSON is the same, with the sum', () => {
  expect(JSON.parse(toJson(DIAGNOSIS))).toEqual({ ...DIAGNOSIS, sum: { ok: 1, note: 1, problem: 1 } });
});
