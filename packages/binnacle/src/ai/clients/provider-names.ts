/** What frameworks call providers, in the words of the conventions (`gen_ai.provider.name`). */

const NAMES: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  azure_openai: 'azure.ai.openai',
  google: 'gcp.gemini',
  google_genai: 'gcp.gemini',
  'google-genai': 'gcp.gemini',
  'google.vertex': 'gcp.vertex_ai',
  vertex: 'gcp.vertex_ai',
  google_vertexai: 'gcp.vertex_ai',
  'amazon-bedrock': 'aws.bedrock',
  amazon_bedrock: 'aws.bedrock',
  bedrock: 'aws.bedrock',
  mistral: 'mistral_ai',
  mistralai: 'mistral_ai',
  xai: 'x_ai',
  watsonx: 'ibm.watsonx.ai',
};

/** `openai.responses` is `openai`, `google.generative-ai` is `gcp.gemini`; what is not known keeps its first word. */
export function providerNameOf(provider: string): string {
  const [first = '', second = ''] = provider.toLowerCase().split('.');
  return NAMES[`${first}.${second}`] ?? NAMES[first] ?? first;
}
