const FRAMEWORKS = ['fastify', 'express', 'hono', 'koa', 'nest'];
/** Where a framework's packages do not carry the name of its adapter. */
const SCOPES = /** @type {Record<string, string>} */ ({ nest: 'nestjs' });
const EXPORTERS = /^(@opentelemetry\/(exporter|sdk)-[\w-]+|pino)(\/|$)/;

/**
 * Whether a package belongs to a framework: `fastify`, `fastify/…`, `fastify-plugin`, `@fastify/cors`.
 * @param {string} framework
 * @param {string} specifier
 */
export function isFrameworkOf(framework, specifier) {
  const [first = ''] = specifier.split('/');
  const scope = `@${SCOPES[framework] ?? framework}`;
  return first === framework || first === scope || first.startsWith(`${framework}-`);
}

/**
 * Whether a package is an exit or an entrance of the process, which a subject knows nothing of.
 * @param {string} specifier
 */
export function isOutside(specifier) {
  return EXPORTERS.test(specifier) || FRAMEWORKS.some((framework) => isFrameworkOf(framework, specifier));
}
