/** How every adapter behaves, over real sockets: the same suite runs for each of them. */
import { describe } from 'vitest';
import { describeAnswers } from './behaviour/answers.ts';
import { describeConsole } from './behaviour/console.ts';
import { describeEndings } from './behaviour/endings.ts';
import type { CreateApp } from './behaviour/harness.ts';
import { type CreateHttp2App, describeHttp2 } from './behaviour/http2.ts';
import { describeProbes } from './behaviour/probes.ts';
import { describeRequests } from './behaviour/requests.ts';
import { describeShutdown } from './behaviour/shutdown.ts';
import { describeSlowClients } from './behaviour/slow-clients.ts';
import { testColumn } from './behaviour/table.ts';
import { describeUpgrades } from './behaviour/upgrades.ts';

/** Runs the suite for an adapter; without `createHttp2App` its framework has no HTTP/2. */
export function describeAdapter(adapter: string, createApp: CreateApp, createHttp2App?: CreateHttp2App): void {
  describe(adapter, () => {
    describe('answers', () => describeAnswers(createApp));
    describe('endings', () => describeEndings(createApp));
    describe('requests', () => describeRequests(createApp));
    describe('probes', () => describeProbes(createApp));
    describe('console', () => describeConsole(createApp));
    describe('upgrades', () => describeUpgrades(createApp));
    describe('slow clients', () => describeSlowClients(createApp));
    describe('shutdown', () => describeShutdown(createApp));
    if (createHttp2App !== undefined) describe('HTTP/2', () => describeHttp2(createHttp2App));
    testColumn(adapter);
  });
}
