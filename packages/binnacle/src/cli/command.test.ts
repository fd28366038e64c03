import { expect, test } from 'vitest';
import { parseCommand } from './command.ts';
import { makeProject } from './testing-project.test-helper.ts';

const why = (...args: string[]): string | undefined => {
  const command = parseCommand(args, '/');
  return command.kind === 'wrong' ? command.why : undefined;
};

test('doctor, here or elsewhere', () => {
  const folder = makeProject({ 'web/a': '' });
  expect(parseCommand(['doctor'], folder)).toEqual({ kind: 'doctor', folder, url: undefined, json: false });
  expect(parseCommand(['doctor', '--dir', 'web', '--url=http://localhost:8000', '--json'], folder)).toEqual({
    kind: 'doctor',
    folder: `${folder}/web`,
    url: 'http://localhost:8000',
    json: true,
  });
});

test('console, where it listens and who may read it', () => {
  expect(parseCommand(['console'], '/')).toEqual({ kind: 'console', port: 4318, host: '127.0.0.1', token: undefined });
  expect(parseCommand(['console', '--port', '0', '--host=::1', '--token', 'let-me-in'], '/')).toEqual({
    kind: 'console',
    port: 0,
    host: '::1',
    token: 'let-me-in',
  });
});

test('help and version', () => {
  const helpOf = (...args: string[]): string => {
    const command = parseCommand(args, '/');
    return command.kind === 'help' ? command.text : '';
  };
  expect(helpOf('--help')).toMatch(/^binnacle: [\s\S]*binnacle doctor [\s\S]*binnacle console /);
  expect(helpOf('doctor', '-h')).toMatch(/^binnacle doctor: /);
  expect(helpOf('console', '--help')).toMatch(/^binnacle console: [\s\S]*OTEL_EXPORTER_OTLP_ENDPOINT/);
  expect(helpOf('docter', '--help')).toBe(helpOf('--help'));
  expect(parseCommand(['--version'], '/')).toEqual({ kind: 'version' });
});

test.each([
  [[], 'no command'],
  [['docter'], 'no such command: docter'],
  [['doctor', 'more'], 'doctor takes no more'],
  [['doctor', '--port', '1'], 'no such option: --port'],
  [['doctor', '--no-json'], 'no such option: --no-json'],
  [['doctor', '--json=1'], '--json takes no value'],
  [['doctor', '--dir'], '--dir asks for a value'],
  [['doctor', '--dir', '--json'], '--dir asks for a value'],
  [['doctor', '--dir='], '--dir asks for a value'],
  [['doctor', '--dir', '/no/such/folder'], '--dir names no folder'],
  [['doctor', '--url', 'localhost:8000'], '--url is no http:// or https:// URL'],
  [['doctor', '--__proto__'], 'no such option: --__proto__'],
  [['constructor'], 'no such command: constructor'],
  [['console', '--dir', '.'], 'no such option: --dir'],
  [['console', 'more'], 'console takes no more'],
  [['console', '--port', '65536'], '--port is no number from 0 to 65535'],
  [['console', '--port', '1e3'], '--port is no number from 0 to 65535'],
  [['console', '--port='], '--port asks for a value'],
  [['console', '--host', 'a b'], '--host is neither a name nor an address'],
  [['console', '--token', 'short'], '--token is to be of 8 to 256 visible ASCII characters'],
  [['console', '--token', 'with space in it'], '--token is to be of 8 to 256 visible ASCII characters'],
])('%j is wrong', (args, expected) => {
  expect(why(...args)).toBe(
    `${expected}; allowed is: binnacle doctor [--dir PATH] [--url URL] [--json], ` +
      'binnacle console [--port PORT] [--host HOST] [--token TOKEN], binnacle --help, binnacle --version',
  );
});

test('what was given is not repeated where it may be secret or several lines', () => {
  for (const args of [
    ['doctor', '--url', 'ftp://me:hush@host'],
    ['hush\nhush'],
    ['doctor', '--hush\u001b'],
    ['console', '--token', 'hush\u001b'],
    ['console', '--host', 'hush\n'],
  ]) {
    expect(why(...args)).not.toMatch(/hush|\n/);
  }
});
