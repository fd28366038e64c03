/** `npm run screenshots`: draws docs/images/console-*.png anew, from what a service tells of five minutes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { openTab, type Stage, startChromium, startStage } from './stage.ts';
import { type State, states } from './states.ts';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/images/', import.meta.url));
const ONLY = process.argv[3];
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 360, height: 740 };
/** A moment for what would else change with each run. */
const NOW = new Date('2026-11-26T09:30:00Z');

interface Shot {
  readonly state: string;
  readonly colorScheme: 'light' | 'dark';
  readonly size: { readonly width: number; readonly height: number };
  readonly name: string;
}

/** Those that the docs show, and how; all of them where a folder is named to look at them. */
const LOOKS = {
  dark: { colorScheme: 'dark', size: WIDE },
  light: { colorScheme: 'light', size: WIDE },
  narrow: { colorScheme: 'dark', size: NARROW },
} as const;
type Look = keyof typeof LOOKS;
const SHOWN: Readonly<Record<string, readonly Look[]>> = {
  live: ['dark', 'light', 'narrow'],
  traces: ['dark'],
  trace: ['dark', 'light'],
  'trace-lines': ['narrow'],
  logs: ['dark', 'light', 'narrow'],
  'ai-call': ['dark', 'light'],
  metrics: ['dark', 'light'],
  health: ['dark'],
  telemetry: ['dark'],
};

function shots(all: readonly State[]): Shot[] {
  const looks = (name: string): readonly Look[] =>
    process.argv[2] === undefined ? (SHOWN[name] ?? []) : (Object.keys(LOOKS) as Look[]);
  return all.flatMap(({ name }) =>
    looks(name).map((look): Shot => ({ state: name, name: `${name}-${look}`, ...LOOKS[look] })),
  );
}

async function draw(browser: Browser, stage: Stage, state: State, { colorScheme, size, name }: Shot): Promise<void> {
  const tab = await openTab(browser, 'about:blank', {
    viewport: size,
    colorScheme,
    reducedMotion: 'reduce',
    deviceScaleFactor: 1,
  });
  await tab.page.clock.setFixedTime(NOW);
  await tab.page.goto(`${stage.feeder(state.feeding).url}${state.hash}`);
  await state.reach(tab.page);
  await tab.page.evaluate(() => document.fonts.ready);
  await tab.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await tab.page.mouse.move(0, 0);
  await tab.page.screenshot({ path: join(FOLDER, `console-${name}.png`), animations: 'disabled', caret: 'hide' });
  await tab.close();
}

const [browser, stage] = await Promise.all([startChromium(), startStage(NOW.getTime())]);
try {
  mkdirSync(FOLDER, { recursive: true });
  const all = states(stage.trace);
  for (const shot of shots(all)) {
    const state = all.find(({ name }) => name === shot.state);
    if (state === undefined || (ONLY !== undefined && !new RegExp(ONLY).test(shot.name))) continue;
    await draw(browser, stage, state, shot);
  }
} finally {
  await browser.close();
  await stage.close();
}
