/** A small reader of Server-Sent Events, by the HTML standard's section 9.2. */

export interface SseListener {
  event(name: string, data: string): void;
  comment(text: string): void;
}

/** Gives a function that is fed text as it comes. */
export function createParser(listener: SseListener): (text: string) => void {
  let rest = '';
  let name = 'message';
  let data: string[] = [];
  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) listener.event(name, data.join('\n'));
      name = 'message';
      data = [];
    } else if (text.startsWith(':')) listener.comment(text.slice(1).trim());
    else {
      const [, field, value = ''] = /^([^:]*)(?::\s?(.*))?$/s.exec(text) ?? [];
      if (field === 'event') name = value;
      if (field === 'data') data.push(value);
    }
  };
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) line(each.replace(/\r$/, ''));
  };
}
