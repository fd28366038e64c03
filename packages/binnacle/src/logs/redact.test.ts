import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growth } from '../../../../test/growth.ts';
import { isSecretKey, maskText, REDACTED, wordsOf } from './redact.ts';

const SECRET = `
  authorization Authorization proxy-authorization proxyAuthorization cookie cookies Cookie set-cookie setCookie setcookie
  password Password PASSWORD passwd pwd passphrase user_password userPassword db_password DB_PASSWORD dbpassword
  passwordHash new-password oldPassword pass smtp_pass secret secrets clientSecret client_secret CLIENT-SECRET
  client_secret_key secret_key_base jwt_secret webhookSecret token accessToken access_token refresh-token id_token
  x-auth-token csrfToken sessionToken session_token authtoken accesstoken bearer bearer_token botToken slack_token
  tokenValue access_tokens refreshTokens api_key apiKey apikey API_KEY x-api-key X-API-Key xApiKey OPENAI_API_KEY
  openaiApiKey private_key privateKey accessKey access_key_id secretAccessKey aws_secret_access_key encryptionKey
  signing_key master_key sshKey license_key storage_key session_key some_other_key apiKeys credentials credential
  aws_credentials jwt jwtToken auth basic_auth proxyAuth otp totp_code csrf xsrf search_api_key METRICS_TOKEN pass_word
`;

const PLAIN = `
  input_tokens output_tokens inputTokens max_tokens maxTokens token_count tokenCount total_tokens tokens token_type
  tokenType token_usage token_limit tokenizer tokenize prompt_tokens completion_tokens cached_tokens reasoning_tokens
  tokens_per_second time_to_first_token timeToFirstToken cost_per_token time_per_output_token gen_ai_token_type
  ai_tokens_estimated token_expires_at token_ttl token_endpoint gen_ai.usage.input_tokens key keys Key primary_key
  primaryKey foreign_key cache_key cacheKey public_key publicKey sort_key partition_key idempotency_key idempotencyKey
  routing_key object_keys key_count keyboard monkey turkey donkey hockey whiskey keyword keywords keynote keyCode
  key_id password_length password_changed_at password_required cookie_count cookie_name secret_name secretary
  secretariat author authority authenticated authored passenger passed pass_rate compass bypass passage session_id
  sessionId request_id user_id trace_id status duration_ms message url path query_length auth_method auth_error
  credential_type cookbook bearing tokenized unique_key redis_key lookup_key event_key private_key_path
`;

const names = (text: string): string[] => text.trim().split(/\s+/);

describe('keys', () => {
  test.each(names(SECRET))('%s is withheld', (name) => expect(isSecretKey(name)).toBe(true));
  test.each(names(PLAIN))('%s is written', (name) => expect(isSecretKey(name)).toBe(false));

  test('words of a name, in any writing', () => {
    for (const name of ['x-api-key', 'xApiKey', 'X_API_KEY', 'X-API-Key', 'x.api.key', 'XApiKey'])
      expect(wordsOf(name)).toEqual(['x', 'api', 'key']);
  });

  test('names made of data neither throw nor fill the memory', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (name) => typeof isSecretKey(name) === 'boolean'));
    for (let i = 0; i < 10_000; i++) isSecretKey(`name${i}`);
    expect(isSecretKey('password')).toBe(true);
    expect(isSecretKey(`${'x'.repeat(1e6)}`)).toBe(false);
  });
});

describe('text', () => {
  test.each([
    ['Authorization: Bearer abc.def-ghi', 'abc.def'],
    ['sent bearer xyz to it', 'xyz'],
    ['Basic dXNlcjpwYXNzd29yZA== was refused', 'dXNlcjpwYXNz'],
    ['Incorrect API key provided: sk-proj-abcdefgh1234', 'sk-proj'],
    ['key sk_live_abcdefgh12345678 is revoked', 'abcdefgh'],
    ['connect postgres://app:hunter2@db:5432/x failed', 'hunter2'],
    ['redis://:hunter2@cache', 'hunter2'],
    ['postgres://app:p@ss@db/x', 'p@ss'],
    ['GET https://api/x?key=AIzaSyA&q=1', 'AIzaSyA'],
    ['GET /x?a=1&access_token=tok123', 'tok123'],
    ['password=hunter2 user=me', 'hunter2'],
    ['password: hunter2', 'hunter2'],
    ['body {"user":"me","password":"hunter2 and more"}', 'hunter2'],
    ['body {\\"apiKey\\": \\"abc123\\"}', 'abc123'],
    ['Set-Cookie: sid=abc; Path=/', 'sid=abc'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-na_ture', 'eyJ'],
    ['ghp_abcdefghijklmnop1234', 'ghp_'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----', 'MIIabc'],
  ])('%s', (text, secret) => {
    const masked = maskText(text);
    expect(masked).toContain(REDACTED);
    expect(masked).not.toContain(secret);
    expect(maskText(masked)).toBe(masked);
  });

  test.each([
    '[log-test-123] Phase completed: connecting (0.45s)',
    'cache miss key=user:1',
    'Bearer token is missing',
    'Basic authentication failed',
    'Unexpected token: } in JSON at position 4',
    'risk-management and task-force-one',
    'see https://example.com/a/b?page=2#top',
    'mail me@example.com',
    'max_tokens=4096 first_token=12ms',
    '{"input_tokens": 5, "key": "a"}',
  ])('%s stays', (text) => expect(maskText(text)).toBe(text));

  test.each(['://', 'eyJ', 'eyJ-', 'sk-', 'a=', '"a":', '"token":"', '-----BEGIN A PRIVATE KEY-----', '?key=', '\\"'])(
    'its time grows with the text, not with its square: %s',
    (piece) => {
      expect(growth(maskText, piece.repeat(Math.floor(1600 / piece.length)))).toBeLessThan(40);
    },
  );
});
