import { expect, test } from 'vitest';
import { parseRedisUrl, redisUrlError } from './redis-url.ts';

test.each([
  ['redis://cache', { host: 'cache', port: 6379, db: 0, tls: false }],
  ['redis://cache:7000/3', { host: 'cache', port: 7000, db: 3 }],
  ['rediss://user:p%40ss@[::1]:7000', { host: '::1', username: 'user', password: 'p@ss', tls: true }],
  ['redis://:100%@cache?db=5&commandTimeout=9', { username: undefined, password: '100%', db: 0 }],
])('%s', (text, expected) => {
  expect(parseRedisUrl(text)).toMatchObject(expected);
});

test('a database that is no number stops the start, without the password being told', () => {
  expect(() => parseRedisUrl('redis://user:secret@cache:7000/main?x=secret')).toThrow(
    'REDIS_URL="redis://cache:7000/main" is not usable: allowed is redis://USER:PASSWORD@HOST:PORT/DATABASE, the database a number',
  );
  expect(redisUrlError('redis://user:secret@cache/1', 'this').message).not.toContain('secret');
});
