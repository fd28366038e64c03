/** Runs the commands of a section of the docs one after the other, beside the service that they start. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from '../../apps/fit-check/test/ports.ts';
import { runService, type Service, startService } from '../../apps/fit-check/test/service.ts';
import { until } from '../../apps/fit-check/test/until.ts';
import { type Block, environmentOf, type Section } from './sources.ts';

const run = promisify(execFile);
const COMMAND_MS = 60_000;
const START = /\bnpm start\b/;

/** Whether text is what is printed: `…` stands for anything within a line. */
export function isAsPrinted(printed: string, text: string): boolean {
  const pattern = printed
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`).test(text.trim());
}

/** What is printed below a command; undefined where nothing is. */
export function printedBelow(block: Block, blocks: readonly Block[]): string | undefined {
  const next = blocks[blocks.indexOf(block) + 1];
  return next?.language === 'text' ? next.code : undefined;
}

/** Runs a section's commands. Throws where something does not come as it is printed. */
export async function walk({ blocks }: Section): Promise<void> {
  const nobody = await freePort();
  let service: Service | undefined;
  let port = '8000';
  const here = (text: string): string => text.replaceAll('8000', port).replaceAll('4318', String(nobody));
  const began = (): Service => {
    if (service === undefined) throw new Error('nothing is started before this');
    return service;
  };
  try {
    for (const block of blocks) {
      const printed = printedBelow(block, blocks);
      if (block.language === 'log') await expectLines(began(), here(block.code));
      if (block.language !== 'sh') continue;
      if (!START.test(block.code)) expectPrinted(block, printed && here(printed), await sh(here(block.code), began()));
      else if (printed !== undefined) expectPrinted(block, printed, await failToStart(block.code));
      else {
        await service?.stop();
        service = await startService(environmentOf(here(block.code)));
        port = new URL(service.url).port;
      }
    }
    if (blocks.some(({ code }) => code.includes('kill -TERM'))) await expectEnd(began());
  } catch (error) {
    throw new Error(`${(error as Error).message}\nthe service said:\n${service?.output.join('\n')}`, { cause: error });
  } finally {
    await service?.stop();
  }
}

async function sh(script: string, { folder, pid }: Service): Promise<string> {
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', pid: String(pid) };
  return (await run('sh', ['-ec', script], { cwd: folder, env, timeout: COMMAND_MS })).stdout;
}

async function failToStart(code: string): Promise<string> {
  const { status, output } = await runService(environmentOf(code));
  if (status !== 1) throw new Error(`it ended with ${status}:\n${output}`);
  return output;
}

function expectPrinted({ page, line }: Block, printed: string | undefined, text: string): void {
  if (printed !== undefined && !isAsPrinted(printed, text))
    throw new Error(`${page}:${line} printed\n${text}\nwhere the page has\n${printed}`);
}

/** Each printed line, in order, among those that the service has written or writes soon. */
async function expectLines({ output }: Service, printed: string): Promise<void> {
  let from = 0;
  for (const line of printed.trim().split('\n')) {
    const at = await until(`a line as ${line}`, () => {
      const found = output.findIndex((text, index) => index >= from && isAsPrinted(line, text));
      return found < 0 ? undefined : { found };
    });
    from = at.found + 1;
  }
}

async function expectEnd({ exited }: Service): Promise<void> {
  const status = await exited;
  if (status !== 0) throw new Error(`it ended with ${status}`);
}
