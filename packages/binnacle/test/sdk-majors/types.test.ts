/** The types of the newest majors take what `obs.ai` gives, without a cast; those of the older ones in `test/types/`. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { installMajor, MAJORS } from './majors.ts';

const require = createRequire(import.meta.url);
const SOURCE = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
const USE = `
import { embed, generateText, streamText, ToolLoopAgent, type EmbeddingModel, type LanguageModel } from 'ai';
import type { Observability } from '${SOURCE}';
export async function use({ ai }: Observability, model: LanguageModel, words: EmbeddingModel): Promise<void> {
  const telemetry = ai.telemetry('planner');
  await generateText({ model, prompt: 'x', telemetry });
  await generateText({ model, prompt: 'x', experimental_telemetry: telemetry });
  streamText({ model, prompt: 'x', telemetry: { ...ai.telemetry(), functionId: 'planner' } });
  await embed({ model: words, value: 'x', telemetry });
  new ToolLoopAgent({ model, telemetry });
}
`;

/** What the compiler says of a file beside an SDK's packages; nothing where all is well. */
async function compile(folder: string, source: string): Promise<string> {
  const made = mkdtempSync(join(folder, 'types-'));
  try {
    const base = fileURLToPath(new URL('../../../../tsconfig.base.json', import.meta.url));
    const typeRoots = [dirname(dirname(require.resolve('@types/node/package.json')))];
    const compilerOptions = {
      noEmit: true,
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true,
      typeRoots,
      types: ['node'],
    };
    writeFileSync(join(made, 'use.mts'), source);
    writeFileSync(join(made, 'tsconfig.json'), JSON.stringify({ extends: base, compilerOptions, files: ['use.mts'] }));
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', made]);
    return '';
  } catch (error) {
    return (error as { stdout?: string }).stdout ?? String(error);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

it('AI SDK 7 takes `obs.ai.telemetry()`', { timeout: 300_000 }, async ({ skip }) => {
  const major = MAJORS.find(({ packages }) => packages.ai === '7');
  if (major === undefined) throw new Error('AI SDK 7 is not among the majors');
  const installed = await installMajor(major);
  if ('missing' in installed) return skip(installed.missing);
  expect(await compile(installed.folder, USE)).toBe('');
  expect(await compile(installed.folder, USE.replaceAll("'planner'", '7'))).toContain('error TS2345');
});
