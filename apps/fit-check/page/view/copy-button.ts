/** Copies the address of an analysis. */
import { fill, h, icon } from './dom.ts';

const SAID_MS = 2500;

/** `say` reads aloud what became of it. */
export function createCopyButton(address: string, say: (words: string) => void): HTMLElement {
  const label = h('span', {}, 'Copy link');
  const button = h('button', { type: 'button', class: 'button small' }, icon('link'), label);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (words: string): void => {
    fill(label, words);
    say(words);
    clearTimeout(timer);
    timer = setTimeout(() => fill(label, 'Copy link'), SAID_MS);
  };
  button.addEventListener('click', () => {
    // Browsers have a clipboard on HTTPS and localhost alone.
    const copying = navigator.clipboard?.writeText(address) ?? Promise.reject(new Error('no clipboard'));
    copying.then(
      () => tell('Link copied'),
      () => tell('Copy it from the address bar'),
    );
  });
  return button;
}
