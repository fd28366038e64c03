/** How every adapter behaves, over real sockets: the same suite runs for each of them. */
import { describe } from 'vitest';
import { describeAnswers } from './behaviour/answers.ts';
import { describeEndings } from './behaviour/endings.ts';
import type { CreateApp } from './behaviour/harness.ts';
import { describeProbes } from './behaviour/probes.ts';
import { describeRequests } from './behaviour/requests.ts';
import { describeShutdown } from './behaviour/shutdown.ts';
import { describeSlowClients } from './behaviour/slow-clients.ts';
import { describeUpgrades } from './behaviour/upgrades.ts';

export function describeBehaviour(createApp: CreateApp): void {
  describe('answers', () => describeAnswers(createApp));
  describe('endings', () => describeEndings(createApp));
  describe('requests', () => describeRequests(createApp));
  describe('probes', () => describeProbes(createApp));
  describe('upgrades', () => describeUpgrades(createApp));
  describe('slow clients', () => describeSlowClients(createApp));
  describe('shutdown', () => describeShutdown(createApp));
}
