import { expect, test } from 'vitest';
import { providerNameOf } from './provider-names.ts';

test.each([
  ['openai.responses', 'openai'],
  ['azure.chat', 'azure.ai.openai'],
  ['anthropic.messages', 'anthropic'],
  ['google.generative-ai', 'gcp.gemini'],
  ['google.vertex.chat', 'gcp.vertex_ai'],
  ['vertex.anthropic.messages', 'gcp.vertex_ai'],
  ['amazon-bedrock', 'aws.bedrock'],
  ['mistral.chat', 'mistral_ai'],
  ['xai.responses', 'x_ai'],
  ['a-company-of-its-own.chat', 'a-company-of-its-own'],
])('%s is %s', (provider, name) => {
  expect(providerNameOf(provider)).toBe(name);
});
