/** What stands around a word that is a skill in one text and everyday speech, or another skill, in the next. */

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** After these, or within their lists, an everyday word is a technology. */
export const TECHNICAL_AFTER: ReadonlySet<string> = words(
  'developer developers engineer engineers programmer programmers programming language lang code codebase microservices ' +
    'microservice services backend frontend framework app apps applications hooks components api apis scripts skills',
);
export const LONE_BEFORE: ReadonlySet<string> = words('using language languages framework frameworks stack tech');
export const PAIR_BEFORE: ReadonlySet<string> = words('in with of like including');
export const PAIR_LEAD: ReadonlySet<string> = words(
  'written write writing build building built experience experienced expertise proficient proficiency fluent fluency ' +
    'code coding programming programs developing developed implemented work working worked familiarity familiar ' +
    'knowledge skills years skilled command background languages technologies tools such',
);
export const JOINERS: ReadonlySet<string> = words('and or plus');

/** Beside these, the name of a language is that language, spoken. */
export const SPOKEN_BEFORE: ReadonlySet<string> = words(
  'fluent fluently native spoken written proficient conversational excellent speak speaks speaking bilingual',
);
export const SPOKEN_AFTER: ReadonlySet<string> = words('a1 a2 b1 b2 c1 c2 fluent fluency native proficiency required');

/** Before and after these, the word is never the skill. */
export const NEVER_BEFORE: Readonly<Record<string, ReadonlySet<string>>> = {
  c: words('series vitamin grade class plan section hepatitis type category licence license appendix annex'),
  r: words('appendix annex section mr mrs ms dr'),
  express: words('american federal indian holiday orient polar pony'),
  spark: words('creative the a that'),
  swift: words('taylor jonathan a'),
};
export const NEVER_AFTER: Readonly<Record<string, ReadonlySet<string>>> = {
  go: words('to live ahead beyond forward through above for getter getters the a into on over back'),
  react: words('to quickly when calmly fast promptly'),
  excel: words('in at as within'),
  express: words('interest written consent permission delivery shipping your their our the yourself'),
  spring: words('cleaning break season term semester 2024 2025 2026 2027 2028'),
  swift: words('response responses action delivery and'),
  spark: words('joy interest ideas curiosity a the'),
  rust: words('prevention removal protection resistant belt'),
  electron: words('microscopy microscope microscopes beam'),
  node: words('biopsy'),
  c: words('level suite round funding section minor major'),
  r: words('d'),
};
/** Written in lower case after one of these, `go`, `react`, `excel` and their like are what somebody does. */
export const VERBS: ReadonlySet<string> = words('go react excel express spark dart rust polish');
export const VERB_BEFORE: ReadonlySet<string> = words(
  'we you i they to will would can could should must may might never always just let lets us please not cannot',
);

export interface FalseFriend {
  /** Within three words of one of these… */
  readonly near: ReadonlySet<string>;
  /** …and written in capitals, where this says so… */
  readonly capitals?: boolean;
  /** …it is this skill, or none. */
  readonly instead?: string;
}

/** Names that are certain by themselves, and something else in another trade. */
export const FALSE_FRIENDS: Readonly<Record<string, FalseFriend>> = {
  // Good Clinical Practice, not the cloud.
  gcp: { near: words('gmp cgmp glp gxp ich gdp'), instead: 'clinical-research' },
  // The network of banks.
  swift: {
    near: words('payment payments message messages messaging sepa mt103 mt940 iban bank banks settlement'),
    capitals: true,
    instead: 'payments',
  },
  java: { near: words('indonesia sumatra island coffee') },
};
