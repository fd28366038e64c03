/** One page of Markdown as one page of HTML, with nothing from elsewhere. */
import { Marked, type Tokens } from 'marked';

export interface Rendered {
  readonly title: string;
  readonly body: string;
  /** What can be linked to within it. */
  readonly anchors: ReadonlySet<string>;
  /** What it links to, as it is written. */
  readonly links: readonly string[];
}

/** Turns a page's text into HTML; `hrefOf` says where a link of it leads in the site. */
export function render(markdown: string, hrefOf: (link: string) => string): Rendered {
  const anchors = new Set<string>();
  const links: string[] = [];
  let title = '';
  const marked = new Marked({ gfm: true });
  marked.use({
    renderer: {
      heading({ tokens, depth }: Tokens.Heading): string {
        const html = this.parser.parseInline(tokens);
        const text = unescaped(html.replace(/<[^>]+>/g, ''));
        if (title === '') title = text;
        const id = freeSlug(slugOf(text), anchors);
        return `<h${depth} id="${escaped(id)}"><a href="#${escaped(id)}">${html.replace(/<\/?a\b[^>]*>/g, '')}</a></h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link): string {
        links.push(href);
        return `<a href="${escaped(hrefOf(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }: Tokens.Image): string {
        links.push(href);
        return `<img src="${escaped(hrefOf(href))}" alt="${escaped(text)}">`;
      },
      // Pictures that differ in light and dark are said in HTML.
      html({ text }: Tokens.HTML | Tokens.Tag): string {
        return text.replace(/\b(src|srcset)="([^"]+)"/g, (_, name: string, link: string) => {
          links.push(link);
          return `${name}="${escaped(hrefOf(link))}"`;
        });
      },
      table(token: Tokens.Table): string {
        const row = (cells: readonly Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="table"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  const body = marked.parse(markdown, { async: false });
  for (const [, id = ''] of body.matchAll(/<a id="([^"]+)"/g)) anchors.add(id);
  return { title, body, anchors, links };
}

/** As GitHub makes them, so that links hold in both places. */
export function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function freeSlug(slug: string, taken: Set<string>): string {
  let free = slug;
  for (let n = 1; taken.has(free); n += 1) free = `${slug}-${n}`;
  taken.add(free);
  return free;
}

export interface Place {
  readonly path: string;
  readonly title: string;
}

/** The whole page: its navigation is the same everywhere, but for the way up and who is here. */
export function documentOf(page: Place, body: string, places: readonly Place[]): string {
  const up = '../'.repeat(page.path.split('/').length - 1);
  const item = ({ path, title }: Place): string =>
    `<li><a href="${up}${path}"${path === page.path ? ' aria-current="page"' : ''}>${escaped(title)}</a></li>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(page.title === 'Binnacle' ? page.title : `${page.title} · Binnacle`)}</title>
<link rel="stylesheet" href="${up}style.css">
</head>
<body>
<nav aria-label="Pages"><ul>
${places.map(item).join('\n')}
</ul></nav>
<main>
${body}</main>
</body>
</html>
`;
}

export const STYLE = `:root { color-scheme: light dark; --back: light-dark(#fff, #14171a); --text: light-dark(#1c2126, #dfe4e8);
  --soft: light-dark(#f3f5f7, #1e2328); --line: light-dark(#d8dee4, #363d44); --link: light-dark(#0b5cad, #7ab8ff); }
* { box-sizing: border-box; }
body { margin: 0; display: grid; grid-template-columns: 14rem minmax(0, 54rem); gap: 2rem; padding: 1rem 2rem 4rem;
  background: var(--back); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
nav ul { position: sticky; top: 1rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .2rem .5rem; border-radius: .25rem; text-decoration: none; }
nav a[aria-current] { background: var(--soft); font-weight: 600; }
a { color: var(--link); }
h1 a, h2 a, h3 a, h4 a { color: inherit; text-decoration: none; }
h1, h2, h3 { line-height: 1.25; }
code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
code { background: var(--soft); padding: .1em .3em; border-radius: .2rem; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .75rem 1rem; border-radius: .4rem; overflow-x: auto; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: .925em; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
img { max-width: 100%; background: #fff; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 50rem) { body { display: block; padding: 1rem; } nav ul { position: static; } }
`;

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function unescaped(html: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return html.replace(/&(lt|gt|quot|#39|amp);/g, (whole, name: string) => named[name] ?? whole);
}
