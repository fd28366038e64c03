/** The reader's choice of colours: the system's, light or dark. */
const KEY = 'fit-check.theme';

export function startThemeSwitch(): void {
  const root = document.documentElement;
  const inputs = document.querySelectorAll<HTMLInputElement>('input[name="theme"]');
  for (const input of inputs) {
    input.checked = input.value === (root.dataset.theme ?? 'auto');
    input.addEventListener('change', () => choose(input.value));
  }
}

function choose(theme: string): void {
  const root = document.documentElement;
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    if (theme === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}
