/** The public API as a page: each name that the package exports, with its docstring and its signature, from the .d.ts. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { slugOf } from './html.ts';

const LIBRARY = 'packages/binnacle';
const REEXPORT = /^export (?:type )?\{([^}]*)\} from '([^']+)';/gm;

export interface Declaration {
  readonly name: string;
  /** What the docstring says, without its stars; '' where there is none. */
  readonly doc: string;
  /** The declaration as it is emitted. */
  readonly signature: string;
}

/** Every entry of the package (`binnacle/fastify`…) with what it exports, by name. */
export function apiOf(root: string): ReadonlyMap<string, readonly Declaration[]> {
  const { name, exports } = JSON.parse(readFileSync(join(root, LIBRARY, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, { types: string }>;
  };
  const read = (file: string): string => readFileSync(join(root, LIBRARY, file), 'utf8');
  return new Map(
    Object.entries(exports).map(([path, { types }]) => [
      name + path.slice(1),
      declarationsOf(posix.normalize(types), read).sort((a, b) => (a.name < b.name ? -1 : 1)),
    ]),
  );
}

/** What a file of declarations exports, itself or from others. */
export function declarationsOf(file: string, read: (file: string) => string): Declaration[] {
  const text = read(file);
  const own = [...text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|const|function|interface|type) (\w+)/gm)];
  const found = own.map((match) => declarationAt(text, match.index, match[1] ?? ''));
  for (const [, list = '', from = ''] of text.matchAll(REEXPORT)) {
    const there = declarationsOf(posix.join(posix.dirname(file), from.replace(/\.[jt]s$/, '.d.ts')), read);
    for (const item of list.split(',').map((part) => part.trim().replace(/^type /, ''))) {
      if (item === '') continue;
      const [original = '', exported = original] = item.split(' as ');
      const declaration = there.find(({ name }) => name === original);
      if (declaration === undefined) throw new Error(`${file}: ${from} does not declare ${original}`);
      found.push({ ...declaration, name: exported });
    }
  }
  return found;
}

function declarationAt(text: string, start: number, name: string): Declaration {
  const doc = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, start))?.[1] ?? '';
  const signature = text.slice(start, endOf(text, start)).replace(/^export (?:declare )?/, '');
  return { name, doc: doc.replace(/^[ \t]*\* ?/gm, '').trim(), signature };
}

/** Where a declaration ends: its `;`, or the `}` of its body, outside of brackets, comments and strings. */
function endOf(text: string, start: number): number {
  const isBlock = /^export (?:declare )?(?:abstract )?(?:class|interface)/.test(text.slice(start, start + 40));
  const tokens = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`|[{}()[\];]/g;
  tokens.lastIndex = start;
  let depth = 0;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match;
    if (token === ';' && depth === 0) return tokens.lastIndex;
    if ('{(['.includes(token)) depth += 1;
    if ('})]'.includes(token)) depth -= 1;
    if (isBlock && token === '}' && depth === 0) return tokens.lastIndex;
  }
  throw new Error(`a declaration does not end: ${text.slice(start, start + 60)}`);
}

/** The page, as Markdown. */
export function apiPage(api: ReadonlyMap<string, readonly Declaration[]>): string {
  const entries = [...api].map(([entry, declarations]) =>
    [
      `## ${entry}`,
      declarations.map(({ name }) => `[${name}](#${slugOf(name)})`).join(' · '),
      ...declarations.map((declaration) => sectionOf(declaration)),
    ].join('\n\n'),
  );
  return `# API\n\nEvery public name, with what its source says of it.\n\n${entries.join('\n\n')}\n`;
}

function sectionOf({ name, doc, signature }: Declaration): string {
  const [said = '', ...examples] = doc.split(/^@example\s*/m);
  return [
    `### ${name}`,
    ...(said.trim() === '' ? [] : [said.trim().replaceAll('<', '&lt;')]),
    `\`\`\`ts\n${signature}\n\`\`\``,
    ...examples.map((example) => `Example:\n\n\`\`\`ts\n${example.trim()}\n\`\`\``),
  ].join('\n\n');
}
