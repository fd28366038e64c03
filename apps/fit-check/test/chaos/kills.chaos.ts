/** 20 kills over each database: `npm run chaos:kills`. */
import { expect, it } from 'vitest';
import { startPostgres } from '../servers/postgres.ts';
import { type Kill, killRandomly, toTable } from './kills.ts';
import { postgresTarget, sqliteTarget } from './targets.ts';

const KILLS = 20;

function expectSound(title: string, kills: readonly Kill[]): void {
  process.stdout.write(`\n${toTable(title, kills)}\n\n`);
  for (const kill of kills) expect(kill).toMatchObject({ running: 0, half: 0, lost: 0 });
}

it('SQLite', async () => {
  const target = sqliteTarget();
  try {
    expectSound('SQLite', await killRandomly(target, KILLS));
  } finally {
    target.remove();
  }
});

it('PostgreSQL', async () => {
  const server = await startPostgres();
  try {
    expectSound('PostgreSQL', await killRandomly(postgresTarget(server, server.url()), KILLS));
  } finally {
    await server.close();
  }
});
