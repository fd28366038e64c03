/** A search through the project's own sources for what the library is used for. It reads text and understands none. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A framework that there is an adapter for, by the adapter's name. */
export type Framework = 'fastify' | 'express' | 'hono' | 'nest';
/** What SDKs and frameworks of language models are observed by, once they are handed it or to it. */
export type AiUse = 'ai.client' | 'ai.telemetry' | 'ai.langchain';
export type Use = 'observe' | 'client' | Framework | 'ai' | AiUse | 'registries';

/** What is looked for, a line at a time. */
const PATTERNS: Readonly<Record<Use, RegExp>> = {
  observe: /['"]binnacle['"]/,
  // Called, or handed on as a function; `obs.ai.client` is for others.
  client: /(?<!\bai\s*)\.client\s*\(|\bobs(?:ervability)?\.client\b/,
  fastify: /['"]binnacle\/fastify['"]/,
  express: /['"]binnacle\/express['"]/,
  hono: /['"]binnacle\/hono['"]/,
  nest: /['"]binnacle\/nest['"]/,
  ai: memberOfAi('operation|call|stream'),
  'ai.client': memberOfAi('client'),
  'ai.telemetry': memberOfAi('telemetry'),
  'ai.langchain': memberOfAi('langchain'),
  registries: /\bregistries\b/,
};

/** Of `obs.ai`, or of an `ai` taken from it; not of a path or another name that ends so. */
function memberOfAi(names: string): RegExp {
  return new RegExp(`(?<![\\w$/-])ai\\s*\\.\\s*(?:${names})\\b`);
}

export interface Sources {
  readonly files: number;
  /** True where there were more files than are read. */
  readonly cut: boolean;
  /** Where each was found first, as `path:line`. */
  readonly uses: Readonly<Partial<Record<Use, string>>>;
}

const MAX_FILES = 2000;
const MAX_BYTES = 1024 * 1024;
/** Folders that are looked into at most. */
const MAX_FOLDERS = 10_000;
const SOURCE = /\.[mc]?[jt]sx?$/;
const LEFT_OUT = new Set(['node_modules', 'dist', 'build', 'coverage', 'out']);

export function searchSources(folder: string): Sources {
  const uses: Partial<Record<Use, string>> = {};
  const { files, cut } = sourceFiles(folder);
  for (const path of files) {
    if (Object.keys(uses).length === Object.keys(PATTERNS).length) break;
    const text = readText(path);
    if (text !== undefined) searchText(text, relative(folder, path).split(sep).join('/'), uses);
  }
  return { files: files.length, cut, uses };
}

function searchText(text: string, path: string, uses: Partial<Record<Use, string>>): void {
  for (const use of Object.keys(PATTERNS) as Use[]) {
    if (uses[use] !== undefined || !PATTERNS[use].test(text)) continue;
    const lines = text.split('\n');
    const at = lines.findIndex((line) => PATTERNS[use].test(line) && !/^\s*(?:\/\/|\/?\*)/.test(line));
    if (at >= 0) uses[use] = `${path}:${at + 1}`;
  }
}

/** Breadth first, in the order of names, so that the same project gives the same answer. Links are not followed. */
function sourceFiles(folder: string): { files: string[]; cut: boolean } {
  const files: string[] = [];
  const folders = [folder];
  for (let at = 0; at < folders.length; at += 1) {
    if (at >= MAX_FOLDERS) return { files, cut: true };
    const path = folders[at] as string;
    for (const entry of entriesOf(path)) {
      if (entry.isDirectory() && !entry.name.startsWith('.') && !LEFT_OUT.has(entry.name)) {
        folders.push(join(path, entry.name));
      } else if (entry.isFile() && SOURCE.test(entry.name) && !entry.name.endsWith('.d.ts')) {
        if (files.length >= MAX_FILES) return { files, cut: true };
        files.push(join(path, entry.name));
      }
    }
  }
  return { files, cut: false };
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return statSync(path).size > MAX_BYTES ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
