/** What each request of a sender begins with. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { urlToHttpOptions } from 'node:url';

/**
 * The head of a POST but for the number and the empty line that end it: the length of the body. `headers` by name in
 * lower case win over what the URL says. Throws where one cannot be sent, with Node's code and without its value.
 */
export function createHead(target: URL, headers: Readonly<Record<string, string>>): string {
  const { path, auth } = urlToHttpOptions(target);
  const fields: Record<string, string> = {
    // Without a default port, and with brackets around IPv6: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    host: target.host,
    connection: 'keep-alive',
    ...(auth && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}content-length: `;
}
