/** What a reader does on the page, and what there is to be seen. */
import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';

export const search = (page: Page): Locator => page.getByRole('searchbox');
export const grid = (page: Page, name: string): Locator => page.locator(`.list[aria-label^="${name}"]`);
export const rows = (page: Page, name: string): Locator => grid(page, name).locator('.list-body > [role="row"]');
export const pane = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

export async function goTo(page: Page, view: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
  await page.getByRole('heading', { level: 1, name: view }).waitFor();
}

/** Resolves once the page has read what the service held. */
export async function ready(page: Page): Promise<void> {
  await page.locator('.line-state.open').waitFor();
  await page.locator('.target strong bdi').waitFor();
}

/** What the address says after its view. */
export function placeOf(page: Page): { view: string; at: Record<string, string> } {
  const [path = '', query = ''] = new URL(page.url()).hash.replace(/^#\/?/, '').split('?');
  return { view: path, at: Object.fromEntries(new URLSearchParams(query)) };
}

/** How many rows a list says it has. */
export async function rowCount(page: Page, name: string): Promise<number> {
  return Number(await grid(page, name).getAttribute('aria-rowcount')) - 1;
}

/** What axe-core finds, each with where it is. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    return (await axe.run(document, { resultTypes: ['violations'] })).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/** What stands out of the page to the right, so that one would have to scroll all of it sideways. */
export function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .slice(0, 20)
      .map((element) => `${element.tagName}.${String(element.getAttribute('class'))}`);
  });
}
