/** What blocks of TypeScript leave to their reader, declared: by page, for each block that has such a name. */
import type { Block } from './sources.ts';

const OBS = "declare const obs: import('binnacle').Observability;";
const FASTIFY = "declare const app: import('fastify').FastifyInstance;";

/** Lines of docs/adapters.md, each of another service: the adapter's name, and what it stands on. */
const ADAPTERS: Readonly<Record<string, string>> = {
  observeNode: "import { observeNode } from 'binnacle/node'; declare const server: import('node:http').Server;",
  observeFastify: `import { observeFastify } from 'binnacle/fastify'; ${FASTIFY}`,
  observeExpress: "import { observeExpress } from 'binnacle/express'; declare const app: import('express').Express;",
  observeHono: "import { observeHono } from 'binnacle/hono'; declare const app: import('hono').Hono;",
  observeNest:
    "import { observeNest } from 'binnacle/nest'; declare const app: import('@nestjs/common').INestApplication;",
};

const README = `
declare function research(signal: AbortSignal): Promise<string[]>;
declare function answer(facts: readonly string[], signal: AbortSignal): Promise<{ text: string }>;`;

const HOW_TO: Readonly<Record<string, string>> = {
  'app.': FASTIFY,
  'observe(': "import { observe } from 'binnacle';",
  'startServer(': 'declare function startServer(): Promise<void>;',
  'ask(': `declare const messages: readonly { role: string; content: string }[];
declare function ask(said: typeof messages): Promise<{ text: string; inputTokens: number; outputTokens: number }>;`,
};

/** Pages whose blocks leave out what every service has. */
const SHORT: readonly string[] = ['docs/how-to.md', 'docs/console.md'];

/** A block as whole modules. */
export function modulesOf({ page, code }: Block): string[] {
  if (page === 'docs/adapters.md') {
    return code
      .trim()
      .split('\n')
      .map((line) => {
        const name = /\b(observe\w+)\(/.exec(line)?.[1] ?? '';
        return `${ADAPTERS[name]} ${OBS}\n${line}\n`;
      });
  }
  const obs = /\bconst obs\b/.test(code) || !/\bobs\b/.test(code) ? '' : OBS;
  if (page === 'README.md') return [`${code}${README}\n`];
  if (page === 'docs/workers.md')
    return [`${code}declare function startServer(obs: import('binnacle').Observability): void;\n`];
  const needed = Object.entries(HOW_TO).filter(([word]) => code.includes(word) && SHORT.includes(page));
  return [`${code}${[obs, ...needed.map(([, text]) => text)].join('\n')}\nexport {};\n`];
}

/** Whether a block is a program by itself, and nothing is left to its reader: such ones are run. */
export function isWhole(block: Block): boolean {
  if (!['js', 'ts'].includes(block.language) || !/^import /m.test(block.code)) return false;
  const [text, ...more] = modulesOf(block);
  return more.length === 0 && text === `${block.code}\nexport {};\n`;
}
