/** Drawing, at most once a frame whatever comes, and not at all while nobody looks. */
import type { Console } from '../model/console.ts';

export class Frames {
  readonly #listeners = new Set<() => void>();
  #asked = 0;
  #stale = false;

  constructor(console: Console) {
    console.listen(() => this.#ask());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#stale) this.#ask();
    });
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #ask(): void {
    this.#stale = document.hidden;
    if (document.hidden || this.#asked !== 0) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#stale = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
