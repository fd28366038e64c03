import { expect, test } from 'vitest';
import { readEnvironment } from './environment.ts';
import type { Finding } from './findings.ts';
import { refusedUrl, serve } from './testing-project.test-helper.ts';
import { checkTraces } from './traces.ts';

async function check(env: Record<string, string>): Promise<Finding[]> {
  const { otel, warnings, settings } = readEnvironment(env);
  return checkTraces({ otel, keep: settings?.keep, warnings, env, limitMs: 3000 });
}

const console = { OTEL_TRACES_EXPORTER: 'console' };
const of = async (env: Record<string, string>, subject: string): Promise<Finding | undefined> =>
  (await check(env)).find((finding) => finding.subject === subject);

test('without an endpoint nothing is sent, and nobody is asked', async () => {
  expect(await check({})).toMatchObject([
    { mark: 'note', subject: 'exporter', what: 'no endpoint is set: spans are made and not sent' },
  ]);
  expect(await check({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: await refusedUrl() })).toMatchObject([
    { mark: 'note', subject: 'exporter', what: 'OTEL_TRACES_EXPORTER=none: spans are made and not sent' },
  ]);
});

test('OTEL_SDK_DISABLED is told, and nobody is asked', async () => {
  const env = { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: await refusedUrl() };
  expect(await check(env)).toMatchObject([{ mark: 'note', subject: 'OTEL_SDK_DISABLED' }]);
});

test('grpc is a note, another wrong value a problem, both in the words of the library', async () => {
  const collector = await serve((_req, res) => res.end());
  const findings = await check({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd',
  });
  expect(findings).toEqual([
    {
      mark: 'note',
      subject: 'OTEL_EXPORTER_OTLP_PROTOCOL',
      what: '"grpc" is not usable: allowed is http/protobuf, http/json (grpc is sent as http/protobuf); the default is used',
      mend: expect.stringContaining('4318'),
    },
    {
      mark: 'problem',
      subject: 'OTEL_EXPORTER_OTLP_COMPRESSION',
      what: '"zstd" is not usable: allowed is gzip, none; the default is used',
      mend: 'correct OTEL_EXPORTER_OTLP_COMPRESSION, or unset it',
    },
    expect.objectContaining({ mark: 'ok', subject: 'exporter' }),
    expect.objectContaining({ mark: 'ok', subject: 'sampler' }),
  ]);
});

test.each([
  [{}, 'ok', 'parentbased_always_on: all traces that start here are sent'],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, 'problem', 'always_off: no traces are sampled'],
  [
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    'problem',
    'parentbased_traceidratio at ratio 0: no traces that start here are sampled',
  ],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0', BINNACLE_KEEP: 'error,slow' },
    'note',
    'traceidratio at ratio 0: no traces are sampled; only those of BINNACLE_KEEP are sent: error, slow',
  ],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.015' },
    'ok',
    'traceidratio: 1.5 % of traces are sent',
  ],
])('sampler of %j: %s', async (env, mark, what) => {
  expect(await of({ ...console, ...env }, 'sampler')).toMatchObject({ mark, what });
});

test('exclusions of everything, and propagation of nothing, are told', async () => {
  const excluded = 'OTEL_NODE_EXCLUDED_URLS';
  expect(await of({ ...console, [excluded]: '/health,.*' }, excluded)).toMatchObject({ mark: 'problem' });
  expect(await of({ ...console, [excluded]: '/health' }, excluded)).toBeUndefined();
  expect(await of({ ...console, OTEL_PROPAGATORS: 'none' }, 'OTEL_PROPAGATORS')).toMatchObject({ mark: 'note' });
});
