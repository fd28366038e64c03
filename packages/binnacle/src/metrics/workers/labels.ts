/** Labels as the exposition writes them, read back: `a="x",b="y \"z\""`. */
const PAIR = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\s\S])*)"(?:,|$)/gy;

export function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  PAIR.lastIndex = 0;
  let end = 0;
  for (let pair = PAIR.exec(text); pair !== null; pair = PAIR.exec(text)) {
    const [, name = '', value = ''] = pair;
    labels[name] = value.includes('\\')
      ? value.replace(/\\([\s\S])/g, (_, char) => (char === 'n' ? '\n' : char))
      : value;
    end = PAIR.lastIndex;
  }
  if (end !== text.length) throw new TypeError('labels of a report cannot be read');
  return labels;
}
