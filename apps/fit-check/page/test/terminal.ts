/** What a developer's terminal shows of fit-check, as a page: real lines of the built service, in their colours. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { ask } from '../../test/events.ts';
import { startLlm } from '../../test/llm-double.ts';
import { startService } from '../../test/service.ts';
import { until } from '../../test/until.ts';
import { toHtml, toText } from './ansi.ts';
import { openTab } from './chromium.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** Pieces of a verdict, as a model sends them. */
const CHUNKS = ['A fit for ', 'the platform team ', '[work:1]: ', 'TypeScript, ', 'Kubernetes ', 'and PostgreSQL.'];

/** A session that ends well, then one whose language model refuses: all lines, as they were written. */
export async function runScene(): Promise<string[]> {
  const llm = await startLlm({
    kind: 'then',
    first: { kind: 'answer', chunks: CHUNKS, paceMs: 30 },
    rest: { kind: 'status', status: 503 },
  });
  const service = await startService({
    // A pipe is no terminal: it is asked for what a terminal gets by itself.
    LOG_FORMAT: 'text',
    FORCE_COLOR: '1',
    OPENAI_BASE_URL: llm.url,
    LLM_MODEL: 'double-1',
  });
  const closed = (id: string): Promise<boolean> =>
    until(`${id} is closed`, () => service.output.some((line) => line.includes(`[${id}] Request completed`)));
  try {
    for (const [id, query] of [
      ['visit-1', 'Google'],
      ['visit-2', 'Spotify'],
    ] as const) {
      await ask(service.url, { query, session_id: id });
      await closed(id);
    }
    // The port is whichever was free, the folder whoever's tree this is: here they are a newcomer's, and the image's.
    const port = `:${new URL(service.url).port}`;
    return service.output.map((line) => line.replaceAll(port, ':8000').replaceAll(ROOT, '/app/'));
  } finally {
    await service.stop();
    await llm.close();
  }
}

const LIGHT = `--ground:#fff;--bar:#eef1f5;--text:#1d2530;--edge:#c9d1dc;--faint:#5d6878;--red:#b3261e;--green:#1c6e35;
--yellow:#7f5400;--blue:#1d55c4;--cyan:#0b6a78`;
const DARK = `--ground:#0d1420;--bar:#182233;--text:#dfe7f2;--edge:#2a384f;--faint:#8a9bb4;--red:#ff8078;--green:#5dd38a;
--yellow:#f0c04f;--blue:#7fb0ff;--cyan:#5fd0dd`;

const STYLE = `
:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text)}
main{display:inline-block;width:100vw;background:var(--ground);border:1px solid var(--edge);border-radius:10px;overflow:hidden}
h1{margin:0;padding:9px 0;background:var(--bar);border-bottom:1px solid var(--edge);color:var(--text);
  font:500 13px ui-sans-serif,system-ui,'DejaVu Sans',sans-serif;text-align:center}
pre{margin:0;padding:14px 18px 18px;font:13px/1.55 ui-monospace,'DejaVu Sans Mono','Liberation Mono',monospace;
  white-space:pre-wrap;overflow-wrap:anywhere}
.faint{color:var(--faint)}.red{color:var(--red)}.green{color:var(--green)}.yellow{color:var(--yellow)}
.blue{color:var(--blue)}.cyan{color:var(--cyan)}.alarm{background:#b3261e;color:#fff;font-weight:700}`;

/** The page that shows lines. */
export function terminalPage(lines: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fit-check in a terminal</title><style>${STYLE}</style></head>
<body><main><h1>fit-check</h1><pre>${lines.map(toHtml).join('\n')}</pre></main></body></html>`;
}

export const TERMINAL_WIDTH = 1280;

/** Draws `terminal-light.png` and `terminal-dark.png`. */
export async function drawTerminal(browser: Browser, folder: string): Promise<void> {
  const lines = await runScene();
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, close } = await openTab(browser, 'about:blank', {
      viewport: { width: TERMINAL_WIDTH, height: 800 },
      colorScheme,
      deviceScaleFactor: 1,
    });
    await page.setContent(terminalPage(lines));
    const path = join(folder, `terminal-${colorScheme}.png`);
    await page.locator('main').screenshot({ path, omitBackground: true });
    await close();
  }
}

/** The text of lines, for comparing. */
export const textOf = (lines: readonly string[]): string => lines.map(toText).join('\n');
