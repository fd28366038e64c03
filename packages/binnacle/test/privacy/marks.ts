/** What is planted: one word that is nowhere else, followed by the place where it was planted. */

export const MARKER = 'qzmarkerqz';
/** Planted in `tracestate` alone, which OTLP exports with a span, as it is meant to. */
export const STATE_MARKER = 'qzstateqz';

/** As a sentence: a word could pass for a code, or for a name. */
export function mark(place: string): string {
  return `${MARKER} ${place}`;
}

/** Places that a text's markers were planted in. */
export function placesIn(text: string): string[] {
  return [
    ...new Set([...text.matchAll(new RegExp(`.{0,60}(?:${MARKER}|${STATE_MARKER}).{0,30}`, 'gs'))].map(([hit]) => hit)),
  ];
}

/** What the service is asked to ask. */
export interface Asked {
  readonly sdk: 'chat' | 'responses' | 'messages' | 'google' | 'ai-sdk' | 'langchain';
  /** Its name says what the provider does: `whole`, `limited`, `broken`, `cut`. */
  readonly model: string;
  readonly prompt: string;
}
