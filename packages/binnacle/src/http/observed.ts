/** The HTTP side as adapters have it. */
import type { Settings } from '../settings.ts';
import { createEntrance, type Entrance, type ListenerRequest } from './entrance.ts';
import { listenForManagement, type Management } from './management.ts';
import type { Probes } from './probes.ts';
import type { HttpServer } from './server.ts';
import { createUpgrades } from './upgrades.ts';

/** The HTTP side, for adapters. */
export interface ObservedHttp extends Omit<HttpServer, 'signals' | 'record' | 'describe' | 'guard'>, Entrance {
  readonly probes: Probes;
  /** Says the route of a request by its template (`/items/:id`), where no framework knows it. */
  setRoute(request: ListenerRequest, template: string): void;
  /** Answers probes on `MANAGEMENT_PORT`, where it is set. Rejects when the port cannot be had. */
  listenForManagement(): Promise<void>;
  closeManagement(): Promise<void>;
}

export function createObservedHttp(
  server: HttpServer,
  probes: Probes,
  settings: Pick<Settings, 'host' | 'managementPort' | 'service'>,
): ObservedHttp {
  const upgrades = createUpgrades(server, settings.service);
  const entrance = createEntrance(server, probes, upgrades, settings.managementPort === undefined);
  let management: Management | undefined;
  return Object.assign(server, entrance, {
    probes,
    setRoute: (request: ListenerRequest, template: string): void => server.exchangeOf(request)?.matched(template),
    async listenForManagement(): Promise<void> {
      if (settings.managementPort === undefined || management !== undefined) return;
      management = await listenForManagement(server, probes, settings.host, settings.managementPort);
      server.signals.write('INFO', settings.service, 'Probes are answered on the management port', {
        host: settings.host,
        port: management.port,
      });
    },
    async closeManagement(): Promise<void> {
      await management?.close();
      management = undefined;
    },
  });
}
