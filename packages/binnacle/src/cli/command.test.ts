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

test('help and version', () => {
  expect(parseCommand(['--help'], '/')).toEqual({ kind: 'help' });
  expect(parseCommand(['doctor', '-h'], '/')).toEqual({ kind: 'help' });
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
])('%j is wrong', (args, expected) => {
  expect(why(...args)).toBe(
    `${expected}; allowed is: binnacle doctor [--dir PATH] [--url URL] [--json], binnacle --help, binnacle --version`,
  );
});

test('what was given is not repeated where it may be secret or several lines', () => {
  for (const args of [['doctor', '--url', 'ftp://me:hush@host'], ['hush\nhush'], ['doctor', '--hush\u001b']]) {
    expect(why(...args)).not.toMatch(/hush|\n/);
  }
});
