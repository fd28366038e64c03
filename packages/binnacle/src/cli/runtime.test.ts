import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Finding } from './findings.ts';
import { readManifest } from './manifest.ts';
import { checkRuntime } from './runtime.ts';
import { searchSources } from './sources.ts';
import { installed, makeProject } from './testing-project.test-helper.ts';

function check(files: Record<string, string | object>, node = '22.12.0'): Finding[] {
  const folder = makeProject(files);
  return checkRuntime({
    folder,
    manifest: readManifest(join(folder, 'package.json')),
    sources: searchSources(folder),
    node,
  });
}

const marks = (findings: Finding[]): string[] => findings.map(({ mark, subject }) => `${mark} ${subject}`);

test.each([
  ['18.20.0', ['problem Node.js', 'note node:http client']],
  ['20.18.3', ['problem Node.js', 'note node:http client']],
  ['20.19.0', ['ok Node.js', 'note node:http client']],
  ['22.11.0', ['ok Node.js', 'note node:http client']],
  ['22.12.0', ['ok Node.js', 'ok node:http client']],
  ['23.1.0', ['ok Node.js', 'note node:http client']],
  ['24.0.0', ['ok Node.js', 'ok node:http client']],
])('Node.js %s: %s', (node, expected) => {
  const files = { 'package.json': {}, ...installed({ binnacle: '0.1.0' }) };
  expect(marks(check(files, node))).toEqual([...expected, 'ok binnacle']);
});

test('a package.json that is missing is a note, one that is broken a problem', () => {
  expect(marks(check({}))).toContain('note package.json');
  expect(marks(check({ 'package.json': '{"name":' }))).toContain('problem package.json');
  expect(marks(check({ 'package.json': '[]' }))).toContain('problem package.json');
});

test('Binnacle may be missing, unused, or there twice', () => {
  const of = (files: Record<string, string | object>): Finding | undefined =>
    check({ 'package.json': {}, ...files }).find(({ subject }) => subject === 'binnacle');
  const one = installed({ binnacle: '0.1.0' });
  expect(of({})).toMatchObject({ mark: 'note', mend: 'npm install binnacle' });
  expect(of({ ...one, 'a.js': 'import {} from "express";' })).toMatchObject({ mark: 'note' });
  expect(of({ ...one, 'a.js': 'import { observe } from "binnacle";' })).toMatchObject({ mark: 'ok' });
  expect(of(installed({ binnacle: '0.1.0', a: '1.0.0', 'a/node_modules/binnacle': '0.2.0' }))).toMatchObject({
    mark: 'note',
    what: 'is there more than once: node_modules/binnacle, node_modules/a/node_modules/binnacle',
  });
});

test('a file .env is not read, and that is said', () => {
  expect(marks(check({ '.env': 'A=b' }))).toContain('note .env');
});
