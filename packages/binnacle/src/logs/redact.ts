/**
 * What must not reach a log: values whose key says that they are secret, at any depth, and secrets that stand in
 * running text. A key is judged by its words, so that `accessToken`, `access-token` and `ACCESS_TOKEN` are one name
 * and `input_tokens`, `primary_key` and `monkey` are none.
 */

/** Stands where a secret stood. */
export const REDACTED: string = '[REDACTED]';

/** Decisions remembered; past this the memory starts anew, so that keys made of data cannot fill it. */
const MEMORY_LIMIT = 2000;
/** Longer keys are data, not names: they are judged each time, by their beginning. */
const KEY_LIMIT = 128;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Secret wherever they stand in a name, alone or as two words (`pass_word`, `api_key`). */
const STRONG = words(`
  authorization authorisation password passwords passwd passwds pwd passphrase passphrases passcode secret secrets
  credential credentials creds cookie cookies setcookie jwt jwts bearer otp totp csrf xsrf apikey apikeys accesskey
  accesskeys secretkey privatekey authkey sshkey signingkey encryptionkey masterkey licensekey connectsid
`);

/** A name that ends in one of these tells about a secret, not the secret itself. */
const ABOUT = words(`
  count counts length len size limit total max min type types kind at ttl age expiry expires expired expiration usage
  used budget cost costs rate status valid validity required enabled disabled policy consent name names path file
  url uri endpoint algorithm alg version scheme scopes scope provider strategy method mode per second seconds ms index
  present missing changed rotated rotation failures failed attempts lifetime issuer audience domain
`);

/** Words before `token` or `tokens` that make it a credential. */
const TOKEN_OWNER = words(`
  access refresh auth oauth oauth2 api session bearer id csrf xsrf user bot device push registration personal service
  client secret security web webhook deploy admin app application jwt invite reset verification login vault npm github
  gitlab slack hf sas
`);

/** Words before a single `token` that make it a unit of text. */
const TOKEN_UNIT = words(`
  first last per input output prompt completion reasoning cached max min total avg mean each eos bos pad unk mask stop
  special sep cls new
`);

/** Words before `key` that make it a name in a table, a cache or a protocol. */
const KEY_KIND = words(`
  primary foreign public cache sort partition routing idempotency object lookup message event unique composite natural
  surrogate index row column shard group dedupe dedup dictionary map config setting feature metric label attribute field
  property json state redis sorted hash range order bucket item entry parent child translation i18n locale react list
  first last next previous prev current old new missing unknown invalid duplicate sequence join search query sql record
  document doc any no arrow error err log node tree leaf
`);

/** Words before `keys`, or before `key` with more after it, that make it a credential. */
const KEY_OWNER = words(`
  api access secret private auth encryption signing ssh gpg pgp tls ssl master session shared license service account
  storage client deploy hmac aes rsa jwt webhook stripe openai anthropic
`);

/** One lower-case word that was glued together (`accesstoken`, `dbpassword`, `smtppass`). */
const GLUED =
  /^(?:api|access|auth|refresh|session|bearer|csrf|xsrf|id|user|bot|device|client|oauth)tokens?$|passw(?:or)?ds?\d*$|(?:secret|passphrase|credentials?|authorization|apikey|accesskey|privatekey|secretkey)$|^(?:user|db|smtp|mysql|pg|redis|ftp|root|admin)(?:pass|pwd)$/;

const PASS_OWNER = words('user db smtp mysql pg redis ftp root admin proxy http basic mail imap');

const decisions: Map<string, boolean> = new Map();

/** Whether the value under this key is withheld. */
export function isSecretKey(key: string): boolean {
  const known = decisions.get(key);
  if (known !== undefined) return known;
  if (key.length > KEY_LIMIT) return decide(key.slice(0, KEY_LIMIT));
  const secret = decide(key);
  if (decisions.size >= MEMORY_LIMIT) decisions.clear();
  decisions.set(key, secret);
  return secret;
}

/** The words of a name in any case: `X-API-Key`, `xApiKey` and `x_api_key` are all `x`, `api`, `key`. */
export function wordsOf(key: string): string[] {
  return key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function decide(key: string): boolean {
  const parts = wordsOf(key);
  const last = parts.at(-1);
  if (last === undefined) return false;
  if (parts.length > 1 && ABOUT.has(last)) return false;
  // `auth` alone, and `proxy_auth`, hold credentials; `auth_user` and `auth_error` tell about them.
  if (last === 'auth' || (parts.length === 1 && last === 'pass')) return true;
  return parts.some((word, i) => isStrong(word, parts[i + 1])) || namesToken(parts) || namesKey(parts);
}

function isStrong(word: string, next: string | undefined): boolean {
  return (
    STRONG.has(word) ||
    GLUED.test(word) ||
    (next !== undefined && (STRONG.has(word + next) || (PASS_OWNER.has(word) && next === 'pass'))) ||
    (word === 'pass' && (next === 'word' || next === 'phrase'))
  );
}

function namesToken(parts: readonly string[]): boolean {
  const at = parts.findIndex((word) => word === 'token' || word === 'tokens');
  if (at < 0) return false;
  const before = parts[at - 1] ?? '';
  if (parts[at] === 'tokens') return TOKEN_OWNER.has(before);
  return !TOKEN_UNIT.has(before);
}

function namesKey(parts: readonly string[]): boolean {
  const at = parts.findLastIndex((word) => word === 'key' || word === 'keys');
  if (at < 1) return false;
  const before = parts[at - 1] ?? '';
  if (KEY_OWNER.has(before)) return true;
  return parts[at] === 'key' && at === parts.length - 1 && !KEY_KIND.has(before);
}

/** One test for all that is masked in text, since nearly every text holds none of it. */
const SUSPECT: RegExp =
  /\b(?:bearer|basic)[ \t]|\b[sr]k[-_]|:\/\/[^\s/?#]*@|eyJ|\b(?:AKIA|ASIA|AIza|gh[opsur]_|github_pat_|glpat-|xox[a-z]-|hf_|npm_)|(?:key|token|secret|passw(?:or)?d|pwd|signature|sig|cookie|authorization|credentials?)\\?["']?\s{0,2}[=:]|-----BEGIN/i;

type Mask = readonly [pattern: RegExp, replacement: string];

const MASKS: readonly Mask[] = [
  [/-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, REDACTED],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s?:\s{0,2}["']?)[^\r\n"']+/gi, `$1$2${REDACTED}`],
  // Prose such as "Bearer token is missing" and "Basic information" stays readable.
  [
    /\b(bearer)([ \t]+)(?!(?:tokens?|auth\w*|scheme|format|is|was|not|required|missing|credentials?|header|realm)\b)[\w.~+/-]{3,}=*/gi,
    `$1$2${REDACTED}`,
  ],
  [/\b([Bb]asic|BASIC)([ \t]+)(?=[\w+/]*(?:[a-z\d][A-Z\d]|=))[\w+/]{6,}=*/g, `$1$2${REDACTED}`],
  [/:\/\/[^\s/?#]*@/g, `://${REDACTED}@`],
  [/(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]+(?:\.[\w-]*)?/g, REDACTED],
  [/\b[sr]k[-_][\w-]{8,}/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z\d]{12,}|\bAIza[\w-]{20,}/g, REDACTED],
  [/\b(?:gh[opsur]_|github_pat_|glpat-|xox[a-z]-|hf_|npm_)[\w-]{10,}/g, REDACTED],
  [/\b(passw(?:or)?d|pwd|secret|api[-_ ]?key)(\s?:\s{0,2})[^\s,;"'[{}()]+/gi, `$1$2${REDACTED}`],
];

/** `name=value`, in a query or in text, and `"name": "value"` of JSON in text. */
const PAIR: RegExp = /(^|[?&;,\s"'({[])([\w-]{1,40})=(?!\[REDACTED\])([^\s&"'<>#;,)}\]]+)/g;
const QUOTED_PAIR: RegExp =
  /(\\?["'])([\w-]{1,40})\1(\s{0,2}:\s{0,2})(?:(\\?["'])(?!\[REDACTED\])(?:[^"'\\]|\\[^"'])*|[\w.+/-]+)/g;
/** Secret as parameters of a URL alone; `key=` in running text is a cache's. */
const QUERY_SECRETS: ReadonlySet<string> = words('key sig signature x-amz-signature x-goog-signature');

/**
 * Text with its secrets masked: bearer and basic credentials, well-known kinds of keys, tokens in JWT form, user and
 * password in URLs, and pairs whose name says that they are secret. What is already masked stays as it is.
 */
export function maskText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  let masked = text;
  for (const [pattern, replacement] of MASKS) masked = masked.replace(pattern, replacement);
  return masked
    .replace(PAIR, (pair, before: string, name: string) => {
      const inQuery = before === '?' || before === '&';
      const secret = isSecretKey(name) || (inQuery && QUERY_SECRETS.has(name.toLowerCase()));
      return secret ? `${before}${name}=${REDACTED}` : pair;
    })
    .replace(QUOTED_PAIR, (pair, quote: string, name: string, colon: string, open: string | undefined) =>
      isSecretKey(name) ? `${quote}${name}${quote}${colon}${open ?? ''}${REDACTED}` : pair,
    );
}
