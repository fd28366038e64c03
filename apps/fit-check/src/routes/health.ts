/** `GET /api/fit-check/health`: what a dashboard asks of the service. Always 200. */
import type { Breaker, Observability } from 'binnacle';
import type { FastifyInstance } from 'fastify';

export interface HealthParts {
  readonly obs: Observability;
  readonly breakers: { readonly search: Breaker; readonly llm: Breaker };
  readonly activeSessions: () => number;
}

export function healthRoute(app: FastifyInstance, { obs, breakers, activeSessions }: HealthParts): void {
  app.get('/api/fit-check/health', () => {
    try {
      const circuit_breakers = { search: breakers.search.state, llm: breakers.llm.state };
      const open = Object.values(circuit_breakers).includes('open');
      return {
        status: open ? 'degraded' : 'healthy',
        service: 'fit-check',
        agent_ready: true,
        active_sessions: activeSessions(),
        circuit_breakers,
        timestamp: Date.now() / 1000,
      };
    } catch (error) {
      obs.log.error({ error }, 'Health check failed');
      return { status: 'unhealthy', service: 'fit-check', error: 'internal', timestamp: Date.now() / 1000 };
    }
  });
}
