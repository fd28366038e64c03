/** The form that asks. */
import { count, MAX_QUERY, whyNotAsk } from '../model/problems.ts';
import { byId } from './dom.ts';

export interface Composer {
  text: string;
  focus(): void;
  /** While an analysis runs, another cannot be begun; it can be cancelled. */
  running(is: boolean): void;
}

/** From here on the length is told. */
const NEAR_LIMIT = 15_000;

export function createComposer(actions: { ask(query: string): void; cancel(): void }): Composer {
  const form = byId('ask', HTMLFormElement);
  const field = byId('query', HTMLTextAreaElement);
  const submit = byId('submit', HTMLButtonElement);
  const cancel = byId('cancel', HTMLButtonElement);
  const error = byId('query-error', HTMLElement);
  const length = byId('query-length', HTMLElement);
  let busy = false;

  const complain = (why: string | undefined): void => {
    error.textContent = why ?? '';
    error.hidden = why === undefined;
    if (why === undefined) field.removeAttribute('aria-invalid');
    else field.setAttribute('aria-invalid', 'true');
  };
  const ask = (): void => {
    if (busy) return;
    const why = whyNotAsk(field.value);
    complain(why);
    if (why === undefined) actions.ask(field.value.trim());
    else field.focus();
  };
  const tellLength = (): void => {
    const { length: units } = field.value.trim();
    length.hidden = units < NEAR_LIMIT;
    length.textContent = `${count(units)} of ${count(MAX_QUERY)} characters`;
    length.classList.toggle('over', units > MAX_QUERY);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask();
  });
  field.addEventListener('keydown', (event) => {
    // A composed character is confirmed with Enter too.
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  field.addEventListener('input', () => {
    tellLength();
    if (!error.hidden && whyNotAsk(field.value) === undefined) complain(undefined);
  });
  cancel.addEventListener('click', () => actions.cancel());
  for (const button of document.querySelectorAll<HTMLButtonElement>('#examples button')) {
    button.addEventListener('click', () => {
      composer.text = button.dataset.query ?? '';
      field.focus();
      ask();
    });
  }

  const composer: Composer = {
    get text() {
      return field.value;
    },
    set text(value) {
      field.value = value;
      tellLength();
      complain(undefined);
    },
    focus: () => field.focus(),
    running(is) {
      if (busy === is) return;
      busy = is;
      // Not `disabled`: the focus would fall off it.
      submit.setAttribute('aria-disabled', String(is));
      if (!is && document.activeElement === cancel) submit.focus();
      cancel.hidden = !is;
    },
  };
  return composer;
}
