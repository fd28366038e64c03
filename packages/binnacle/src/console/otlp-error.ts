/** The one error of reading OTLP: what was sent is none. Its message names places and kinds, never contents. */
export class OtlpError extends Error {
  override readonly name = 'OtlpError';
}
