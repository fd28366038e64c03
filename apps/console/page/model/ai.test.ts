import { describe, expect, it } from 'vitest';
import { span } from '../test/records.ts';
import { byModel, callOf, paceOf } from './ai.ts';

const call = (spanId: string, attributes = {}, more = {}) =>
  callOf(
    span({
      spanId,
      duration: 2000,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt',
        ...attributes,
      },
      ...more,
    }),
  );

describe('a call of a model', () => {
  it('is read from its span', () => {
    expect(
      call('a', {
        'gen_ai.response.time_to_first_chunk': 0.5,
        'gen_ai.usage.input_tokens': 10,
        'gen_ai.usage.output_tokens': 300,
        'gen_ai.response.model': 'gpt-1',
        'gen_ai.response.finish_reasons': ['stop'],
        'binnacle.ai.cost_usd': 0.25,
      }),
    ).toMatchObject({
      model: 'gpt-1',
      provider: 'openai',
      firstChunk: 500,
      input: 10,
      output: 300,
      cost: 0.25,
      tokensPerSecond: 200,
      ending: 'success',
      finishReasons: ['stop'],
    });
  });

  it('says nothing of what it was not told', () => {
    expect(call('a')).toMatchObject({ firstChunk: undefined, tokensPerSecond: undefined, cost: undefined });
    expect(callOf(span({ spanId: 'a' }))).toBeUndefined();
    // Tools and agents stand around calls, and would count them twice.
    expect(call('a', { 'gen_ai.operation.name': 'execute_tool' })).toBeUndefined();
    expect(call('a', { 'gen_ai.usage.output_tokens': 'many' })?.output).toBeUndefined();
  });

  it('has one of four endings', () => {
    expect(call('a', { 'error.type': 'cancelled' })?.ending).toBe('cancelled');
    expect(call('a', { 'error.type': 'timeout' }, { status: 'error' })?.ending).toBe('timeout');
    expect(call('a', { 'error.type': 'RateLimitError' }, { status: 'error' })?.ending).toBe('error');
  });
});

it('models are summed up', () => {
  const calls = [
    call('a', {
      'gen_ai.usage.input_tokens': 1,
      'gen_ai.response.time_to_first_chunk': 0.1,
      'binnacle.ai.cost_usd': 0.5,
    }),
    call('b', {
      'gen_ai.usage.input_tokens': 2,
      'gen_ai.response.time_to_first_chunk': 0.3,
      'error.type': 'cancelled',
    }),
    call('c', { 'gen_ai.request.model': 'other' }),
  ].map((one) => one!);
  const [gpt, other] = byModel(calls);
  expect(gpt).toMatchObject({
    model: 'gpt',
    calls: 2,
    input: 3,
    cost: 0.5,
    endings: { success: 1, cancelled: 1, error: 0, timeout: 0 },
    firstChunk: [100, 300],
  });
  expect(other).toMatchObject({ model: 'other', calls: 1, cost: undefined });
  expect(other?.firstChunk).toEqual([Number.NaN, Number.NaN]);
});

it('the pace of chunks', () => {
  expect(paceOf([100, 110, 120, 300, 310])).toEqual({
    count: 5,
    first: 100,
    last: 310,
    medianGap: 10,
    longestGap: 180,
    longestAt: 120,
  });
  expect(paceOf([7])).toMatchObject({ count: 1, longestGap: 0 });
  expect(paceOf([])).toBeUndefined();
});
