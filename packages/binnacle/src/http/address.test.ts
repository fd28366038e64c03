import { expect, test } from 'vitest';
import { createSettings, type TrustProxy } from '../settings.ts';
import { createAddressOf } from './address.ts';

type Case = [
  why: string,
  trust: TrustProxy,
  peer: string | undefined,
  header: string | string[] | undefined,
  ip: string | undefined,
];

const PRIVATE = ['10.0.0.0/8', '127.0.0.1', '2001:db8::/32'];

test.each<Case>([
  ['nobody is believed', false, '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['IPv4 in IPv6 is IPv4', false, '::ffff:203.0.113.9', undefined, '203.0.113.9'],
  ['IPv6 stays', false, '2001:db8::1', undefined, '2001:db8::1'],
  ['no peer (a torn socket)', false, undefined, '198.51.100.1', undefined],
  ['no peer, with trust', true, undefined, '198.51.100.1', undefined],
  ['no header', true, '10.0.0.1', undefined, '10.0.0.1'],
  ['an empty header', true, '10.0.0.1', '', '10.0.0.1'],
  [
    'everybody is believed: the first of the chain',
    true,
    '10.0.0.1',
    '198.51.100.1, 10.0.0.3, 10.0.0.2',
    '198.51.100.1',
  ],
  ['a header sent twice', true, '10.0.0.1', ['198.51.100.1', '10.0.0.2'], '198.51.100.1'],
  ['one hop: the last of the chain', 1, '10.0.0.1', '6.6.6.6, 198.51.100.1', '198.51.100.1'],
  ['two hops', 2, '10.0.0.1', '6.6.6.6, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['more hops than the chain has', 5, '10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['networks: up to the first outside of them', PRIVATE, '10.0.0.1', '6.6.6.6, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
  [
    'networks: a spoofed private address does not go through',
    PRIVATE,
    '10.0.0.1',
    '10.9.9.9, 198.51.100.1',
    '198.51.100.1',
  ],
  ['networks: a peer outside of them is not believed', PRIVATE, '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['networks: all inside', PRIVATE, '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['networks: one address', PRIVATE, '127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['networks: IPv6', PRIVATE, '2001:db8::5', '2001:db9::1', '2001:db9::1'],
  ['networks: IPv6 with a zone', ['fe80::/10'], 'fe80::1%eth0', 'fe80::2%eth0', 'fe80::2%eth0'],
  ['garbage ends the chain', true, '10.0.0.1', 'unknown, 198.51.100.1', '198.51.100.1'],
  ['garbage next to the proxy', true, '10.0.0.1', '198.51.100.1, <script>', '10.0.0.1'],
  ['an address that is none', true, '10.0.0.1', '999.1.1.1', '10.0.0.1'],
  ['commas alone', true, '10.0.0.1', ', ,,', '10.0.0.1'],
  ['with a port', true, '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
  ['IPv6 in brackets with a port', true, '10.0.0.1', '[2001:db8::7]:443', '2001:db8::7'],
  ['IPv6 in brackets', true, '10.0.0.1', '[2001:db8::7]', '2001:db8::7'],
  ['IPv6 with many colons is not taken for a port', true, '10.0.0.1', '2001:db8::7', '2001:db8::7'],
  ['IPv4 in IPv6', true, '10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
  ['log injection', true, '10.0.0.1', '198.51.100.1\n{"level":"INFO"}', '10.0.0.1'],
])('%s', (_, trust, peer, header, ip) => {
  expect(createAddressOf(trust)(peer, header)).toBe(ip);
});

test('a long chain is read from the near end, at most 32 addresses', () => {
  const chain = Array.from({ length: 500 }, (_, i) => `1.1.${i >> 8}.${i & 255}`);
  expect(createAddressOf(true)('10.0.0.1', chain.join(', '))).toBe('1.1.1.212');
});

test('what TRUST_PROXY takes can be used', () => {
  for (const word of [
    'true',
    '1',
    '32',
    '10.0.0.0/8',
    '::1',
    'fe80::/10,127.0.0.1',
    '0.0.0.0/0',
    '::ffff:10.0.0.0/104',
  ]) {
    const { trustProxy } = createSettings({ service: 'x', env: { TRUST_PROXY: word } });
    expect(createAddressOf(trustProxy)('127.0.0.1', undefined), word).toBe('127.0.0.1');
  }
});
