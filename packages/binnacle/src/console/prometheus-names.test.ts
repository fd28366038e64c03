import { describe, expect, test } from 'vitest';
import { labelsOf, metricName, unitName } from './prometheus-names.ts';

describe('metrics', () => {
  test.each([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['http.server.active_requests', '{request}', 'gauge', 'http_server_active_requests'],
    ['gen_ai.client.token.usage', '{token}', 'histogram', 'gen_ai_client_token_usage'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['system.memory.usage', 'By', 'gauge', 'system_memory_usage_bytes'],
    ['requests', '1', 'counter', 'requests_total'],
    ['requests_total', '', 'counter', 'requests_total'],
    ['total.requests', '', 'counter', 'requests_total'],
    ['process.cpu.time', 's', 'counter', 'process_cpu_time_seconds_total'],
    ['my_duration_seconds', 's', 'histogram', 'my_duration_seconds'],
    ['disk.speed', 'By/s', 'gauge', 'disk_speed_bytes_per_second'],
    ['disk.ops', '{operation}/s', 'gauge', 'disk_ops_per_second'],
    ['fuel', 'kg', 'gauge', 'fuel_kg'],
    ['3d.renders', '', 'counter', '_3d_renders_total'],
    ['job:rate', '', 'gauge', 'job:rate'],
    ['über-größe', '', 'gauge', 'ber_gr_e'],
    ['—', '', 'gauge', '_'],
  ] as const)('%s in %s, a %s, is %s', (name, unit, type, expected) => {
    expect(metricName(name, unit, type)).toBe(expected);
  });

  test('units', () => {
    expect([unitName('ms'), unitName('By/s'), unitName('{request}'), unitName('1'), unitName('')]).toEqual([
      'milliseconds',
      'bytes_per_second',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('labels', () => {
  test('keys are written with underscores; what is empty is left out; the service is one of them', () => {
    expect({ ...labelsOf({ 'http.route': '/a', 'http.code': 200, none: null, empty: '', '0x': true }, 'web') }).toEqual(
      {
        http_route: '/a',
        http_code: '200',
        key_0x: 'true',
        service_name: 'web',
      },
    );
  });

  test('keys that become one have both values', () => {
    expect(labelsOf({ 'a.b': 'x', a_b: 'y' }, 'web').a_b).toBe('x;y');
  });

  test('hostile ones are bounded, and no prototype', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'v'.repeat(1000)]));
    const labels = labelsOf(many, 'web');
    expect(Object.keys(labels)).toHaveLength(31);
    expect(labels.k0).toHaveLength(200);
    const odd = labelsOf(JSON.parse('{"__proto__":"x","constructor":"y"}'), 'web');
    expect(Object.keys(odd)).toEqual(['__proto__', 'constructor', 'service_name']);
  });
});
