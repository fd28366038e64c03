/** A real Chromium: Debian's package, driven by Playwright. */
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram } from '../../test/servers/program.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** False where there is none; throws there when `REQUIRE_SERVERS=1` says that tests must not be skipped. */
export function hasChromium(): boolean {
  const found = findChromium() !== undefined;
  if (!found && process.env.REQUIRE_SERVERS === '1')
    throw new Error('Chromium is not installed: apt-get install chromium');
  return found;
}

/** How long one test may take in it, where the machine is busy with others too, in milliseconds. */
export const LONGEST_MS = 150_000;

/** Why tests in it are skipped, for their names. */
export const WITHOUT_CHROMIUM = 'skipped: Chromium is not installed (apt-get install chromium)';

export function startChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium is not installed: apt-get install chromium');
  // Its sandbox asks for what containers and root do not have; it opens pages of ours alone.
  return chromium.launch({ executablePath, chromiumSandbox: false, args: ['--disable-dev-shm-usage'] });
}

function findChromium(): string | undefined {
  return findProgram(NAMES);
}

/** A page in a profile of its own, with what went wrong within it. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, refusals by the page's policy, lines of its console above information. */
  readonly troubles: readonly string[];
  /** Requests to anywhere but the service. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

export async function openTab(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  const strays: string[] = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') troubles.push(line.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) strays.push(request.url());
  });
  await page.goto(url);
  return { page, context, troubles, strays, close: () => context.close() };
}
