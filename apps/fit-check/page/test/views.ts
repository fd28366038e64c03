/** What a reader does on the page, and what there is to be seen. */
import type { Locator, Page } from 'playwright-core';

export const field = (page: Page): Locator => page.getByRole('textbox', { name: 'Company or job description' });
export const submit = (page: Page): Locator => page.getByRole('button', { name: 'Check the fit' });
export const cancel = (page: Page): Locator => page.getByRole('button', { name: 'Cancel', exact: true });
export const result = (page: Page): Locator => page.getByRole('article');
export const verdict = (page: Page): Locator => page.locator('.verdict .prose');
export const notice = (page: Page): Locator => page.locator('.notice');
export const pastLinks = (page: Page): Locator => page.locator('.past-link');

export async function ask(page: Page, query: string): Promise<void> {
  await field(page).fill(query);
  await submit(page).click();
}

/** Resolves once the analysis is over, however it ended. */
export async function over(page: Page): Promise<void> {
  await page.locator('.result[aria-busy="false"]').waitFor();
}

/** The session that is shown, by the address. */
export function sessionOf(page: Page): string {
  return new URL(page.url()).searchParams.get('session') ?? '';
}

/** The states of the steps, in order. */
export function steps(page: Page): Promise<string[]> {
  return page.locator('.step').evaluateAll((items) => items.map((item) => item.className.replace('step ', '')));
}
