/** Where the console asks for a token. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { type LoginOutcome, login } from '../net/login.ts';
import { Brand } from './shell.tsx';

export function Login({ onIn }: { readonly onIn: () => void }): JSX.Element {
  const [outcome, setOutcome] = useState<LoginOutcome | 'asking' | undefined>();
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem('token') as HTMLInputElement;
    if (outcome === 'asking') return;
    if (field.value === '') {
      field.focus();
      return;
    }
    setOutcome('asking');
    const result = await login(field.value);
    setOutcome(result);
    if (result.kind === 'in') onIn();
    else field.select();
  };
  const trouble = outcome === undefined || outcome === 'asking' ? '' : wordsOf(outcome);
  return (
    <main class="login" id="main">
      <form class="login-card" onSubmit={submit}>
        <Brand />
        <h1>This console asks for its token</h1>
        <p class="muted">
          It is the value of <code>CONSOLE_TOKEN</code> where the service was started. This browser is then let in until
          the service starts again.
        </p>
        {/* A password manager keeps a token only beside a name. */}
        <input
          class="unseen"
          type="text"
          name="username"
          autocomplete="username"
          value="console"
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          aria-describedby="token-trouble"
          aria-invalid={trouble !== ''}
        />
        <p id="token-trouble" class="field-error" role="alert">
          {trouble}
        </p>
        <button type="submit" class="button primary" aria-disabled={outcome === 'asking'}>
          {outcome === 'asking' ? 'Asking…' : 'Open the console'}
        </button>
      </form>
    </main>
  );
}

function wordsOf(outcome: LoginOutcome): string {
  switch (outcome.kind) {
    case 'in':
      return '';
    case 'wrong':
      return 'That is not the token.';
    case 'later':
      return outcome.seconds === undefined
        ? 'Too many attempts. Try again in a minute.'
        : `Too many attempts. Try again in ${Math.max(1, Math.ceil(outcome.seconds))} s.`;
    default:
      return outcome.because;
  }
}
