/** Labels as the exposition writes them, back to names and values. */

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gs;
const UNESCAPED: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** `a="x",b="y"` as an object without a prototype. */
export function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = Object.create(null);
  for (const [, name = '', value = ''] of text.matchAll(LABEL))
    labels[name] = value.includes('\\') ? value.replace(/\\[\\"n]/g, (pair) => UNESCAPED[pair] as string) : value;
  return labels;
}
