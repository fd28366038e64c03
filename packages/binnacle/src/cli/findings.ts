/** What the doctor finds: one line what, one line how to mend it. */
import { describeProblem, type Problem } from '../environment.ts';

/** `note` is worth knowing; `problem` is something that is not observed, or not as it was asked for. */
export type Mark = 'ok' | 'note' | 'problem';

export const MARKS: readonly Mark[] = ['ok', 'note', 'problem'];

export interface Finding {
  readonly mark: Mark;
  /** What it is about, in a word or two. */
  readonly subject: string;
  readonly what: string;
  /** How to mend it; absent where nothing is to be done. */
  readonly mend?: string;
}

export interface Section {
  readonly title: 'Runtime' | 'Libraries' | 'Traces' | 'Metrics & logs' | 'Running service';
  readonly findings: readonly Finding[];
}

/** Everything that was found. It holds no secret. */
export interface Diagnosis {
  /** Of Binnacle. */
  readonly version: string;
  /** The project's. */
  readonly folder: string;
  readonly sections: readonly Section[];
}

/** How many findings there are of each mark. */
export type Sum = Readonly<Record<Mark, number>>;

export function ok(subject: string, what: string): Finding {
  return { mark: 'ok', subject, what };
}

export function note(subject: string, what: string, mend?: string): Finding {
  return { mark: 'note', subject, what, ...(mend !== undefined && { mend }) };
}

export function problem(subject: string, what: string, mend: string): Finding {
  return { mark: 'problem', subject, what, mend };
}

export function sumOf({ sections }: Diagnosis): Sum {
  const marks = sections.flatMap(({ findings }) => findings.map(({ mark }) => mark));
  const count = (mark: Mark): number => marks.filter((other) => other === mark).length;
  return { ok: count('ok'), note: count('note'), problem: count('problem') };
}

/** `1 line`, `2 lines`. */
export function counted(count: number, one: string, more: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}

/** A wrong variable in the library's words, without its name, which is the subject. */
export function inWords(wrong: Problem): string {
  return describeProblem(wrong).slice(wrong.variable.length + 1);
}
