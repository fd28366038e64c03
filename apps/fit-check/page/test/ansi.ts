/** A terminal's colours as HTML: of the codes that lines of the log are painted with, and of no others. */

/** What each code means to a style sheet, by the class it becomes. */
export const CLASSES: Readonly<Record<string, string>> = {
  '90': 'faint',
  '31': 'red',
  '32': 'green',
  '33': 'yellow',
  '34': 'blue',
  '36': 'cyan',
  '1;37;41': 'alarm',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const CODE = /\u001b\[([\d;]*)m/;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** One line. A code that is not known throws, and so does any other that a terminal obeys. */
export function toHtml(line: string): string {
  const [first = '', ...rest] = line.split(CODE);
  const html = [escaped(first)];
  let open = false;
  // By turns: a code, and the text after it.
  for (let at = 0; at < rest.length; at += 2) {
    const [code = '', text = ''] = rest.slice(at, at + 2);
    if (open) html.push('</span>');
    open = code !== '0' && code !== '';
    if (open) html.push(`<span class="${classOf(code)}">`);
    html.push(escaped(text));
  }
  if (open) html.push('</span>');
  const all = html.join('');
  if (all.includes('\u001b')) throw new Error(`more than colours: ${JSON.stringify(line)}`);
  return all;
}

function classOf(code: string): string {
  const name = CLASSES[code];
  if (name === undefined) throw new Error(`a colour that is not known: ${code}`);
  return name;
}

/** The text alone. */
export function toText(line: string): string {
  return line.replaceAll(new RegExp(CODE, 'g'), '');
}
