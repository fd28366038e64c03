/** Parts of pages that are written by a program: between two comments that name it. */

const marks = (name: string): readonly [string, string] => [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];

/** The part of a page with that name, without its marks. Throws where it is not there, or there twice. */
export function sectionIn(page: string, name: string): string {
  const [begin, end] = marks(name);
  const parts = page.split(begin);
  const [text, ...more] = parts[1]?.split(end) ?? [];
  if (parts.length !== 2 || text === undefined || more.length !== 1)
    throw new Error(`there is not exactly one part between ${begin} and ${end}`);
  return text.trim();
}

/** The page with that part as it is now. */
export function withSection(page: string, name: string, text: string): string {
  sectionIn(page, name);
  const [begin, end] = marks(name);
  const from = page.indexOf(begin) + begin.length;
  return `${page.slice(0, from)}\n${text.trim()}\n${page.slice(page.indexOf(end))}`;
}
