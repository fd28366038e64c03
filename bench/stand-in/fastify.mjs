import Fastify from 'fastify';

/**
 * @param {unknown} _obs
 * @param {import('fastify').FastifyServerOptions} options
 */
export function createFastify(_obs, options) {
  return Fastify({ ...options, logger: false });
}
