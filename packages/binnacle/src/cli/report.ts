/** What was found, as text for people and as JSON for programs. */
import { counted, type Diagnosis, type Finding, type Mark, type Sum, sumOf } from './findings.ts';

/** Subjects longer than this stand out of their column. */
const MAX_COLUMN = 34;
const MARK_WIDTH = 'problem'.length;
const COLORS: Readonly<Record<Mark, number>> = { ok: 32, note: 36, problem: 31 };

export interface ReportOptions {
  readonly color: boolean;
}

/** The report as text, with its last line break. */
export function toText(diagnosis: Diagnosis, { color }: ReportOptions): string {
  const subjects = diagnosis.sections.flatMap(({ findings }) => findings.map(({ subject }) => subject.length));
  const column = Math.min(MAX_COLUMN, Math.max(0, ...subjects));
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines = [`Binnacle ${diagnosis.version}: doctor of ${diagnosis.folder}`];
  for (const { title, findings } of diagnosis.sections) {
    if (findings.length === 0) continue;
    lines.push('', paint(1, title));
    for (const finding of findings) lines.push(...linesOf(finding, column, paint));
  }
  lines.push('', sentenceOf(sumOf(diagnosis)));
  return `${lines.join('\n')}\n`;
}

function linesOf({ mark, subject, what, mend }: Finding, column: number, paint: Paint): string[] {
  const head = `  ${paint(COLORS[mark], mark.padEnd(MARK_WIDTH))}  ${printable(subject).padEnd(column)}  ${printable(what)}`;
  return mend === undefined ? [head] : [head, `${' '.repeat(MARK_WIDTH + column + 6)}-> ${printable(mend)}`];
}

type Paint = (code: number, text: string) => string;

/** Names and versions come from files and services: nothing of theirs is obeyed by a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

function sentenceOf({ ok, note, problem }: Sum): string {
  const rest = `${counted(note, 'note')}, ${ok} ok.`;
  return problem === 0 ? `No problems, ${rest}` : `${counted(problem, 'problem')}, ${rest}`;
}

/** The same as JSON, with its last line break. */
export function toJson(diagnosis: Diagnosis): string {
  return `${JSON.stringify({ ...diagnosis, sum: sumOf(diagnosis) }, undefined, 2)}\n`;
}
